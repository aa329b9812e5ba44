"""What README.md says of the results is what the results say."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = json.loads((ROOT / "results" / "claims.json").read_text(encoding="utf-8"))
ROWS: list[dict[str, Any]] = RESULTS["claims"]

# "0.9764", "3.0 points" but neither of "n = 8".
NUMBER = re.compile(r"(?<![\w=.])(\d+(?:\.\d+)?)( points)?(?![\w.])")


def shown() -> Iterator[Any]:
    """Each row of README's tables: a claim's id, what was measured, and the verdict."""
    for line in README.splitlines():
        if line.startswith("| **"):
            claim, _, measured, verdict = (cell.strip() for cell in line.strip("|").split("|"))
            yield pytest.param(claim[2:].partition("**")[0], measured, verdict, id=claim[:60])


@pytest.mark.parametrize(("claim", "measured", "verdict"), list(shown()))
def test_a_row_of_a_table_is_one_of_the_results(claim: str, measured: str, verdict: str) -> None:
    told = NUMBER.findall(re.sub(r"\(n = \d+\)|not within \d+", "", measured))
    assert told
    rows = [row for row in ROWS if row["id"] == claim and row["verdict"] == verdict]
    assert any(all(_measured(row, *number) for number in told) for row in rows)


def _measured(row: dict[str, Any], text: str, points: str) -> bool:
    """Whether one of the row's means reads so at as many digits."""
    digits = len(text.partition(".")[2])
    means = [m["mean"] * (100 if points else 1) for m in row["measured"].values()]
    return any(abs(mean - float(text)) <= 0.5000001 * 10**-digits for mean in means)


def test_its_counts_are_those_of_the_results() -> None:
    counted = re.search(
        r"\((\d+) rows of (\d+) claims: "
        r"(\d+) supported, (\d+) refuted, (\d+) inconclusive\)",
        README,
    )
    of_all = re.search(r"(\d+) of the (\d+) rows", README)
    assert counted
    assert of_all
    of_5 = [row for row in ROWS if row["report_number"] == 5]
    verdicts = Counter(row["verdict"] for row in of_5)
    assert tuple(map(int, counted.groups())) == (
        len(of_5),
        len({row["id"] for row in of_5}),
        *(verdicts[word] for word in ("supported", "refuted", "inconclusive")),
    )
    not_evaluated = sum(row["verdict"] == "not evaluated" for row in ROWS)
    assert tuple(map(int, of_all.groups())) == (not_evaluated, len(ROWS))
