"""How alike the arms of a claim are seed by seed: python docs/pairing.py [results/claims.json].

Of every row that compares two arms over the same five or more seeds: the correlation of their
values, and the variance of the differences over that of independent values. Below 1 pairs help.
"""

import json
import statistics
import sys
from pathlib import Path

FEWEST = 5


def pairs(path: Path) -> list[tuple[str, float, float]]:
    """A row's name, the correlation and the ratio of variances."""
    found = []
    for row in json.loads(path.read_text(encoding="utf-8"))["claims"]:
        arms = [m["values"] for m in row["measured"].values()]
        if len(row["evidence"]) != 2 or len(arms) != 2 or not _sound(*arms):
            continue
        differences = [a - b for a, b in zip(*arms, strict=True)]
        apart = sum(map(statistics.variance, arms))
        ratio = statistics.variance(differences) / apart
        name = f"{row['id']} {row['case']}".strip()
        found.append((name, statistics.correlation(*arms), ratio))
    return found


def _sound(a: list[float | None], b: list[float | None]) -> bool:
    """As many values of both, enough of them, each a number, and neither side all the same."""
    if len(a) != len(b) or len(a) < FEWEST or None in (*a, *b):
        return False
    return len(set(a)) > 1 and len(set(b)) > 1


def main() -> None:
    """Print a line for each row, and what they come to."""
    found = pairs(Path(*(sys.argv[1:2] or ["results/claims.json"])))
    for name, correlation, ratio in found:
        print(f"{name}: correlation {correlation:+.2f}, variance of differences {ratio:.2f}")
    ratios = [ratio for _, _, ratio in found]
    print(
        f"{len(found)} rows; median correlation {statistics.median(c for _, c, _ in found):+.2f}, "
        f"median ratio of variances {statistics.median(ratios):.2f}; "
        f"below 0.8 in {sum(ratio < 0.8 for ratio in ratios)}, "
        f"above 1.25 in {sum(ratio > 1.25 for ratio in ratios)}"
    )


if __name__ == "__main__":
    main()
