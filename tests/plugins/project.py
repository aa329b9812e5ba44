"""A small project whose claims train networks that take milliseconds, and pytest to run in it."""

import fnmatch
import itertools
import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PRELUDE = """
import os, pytest
from hypothesis import given, settings, strategies as st
from cvclaims.claim import Report, claim
from cvclaims.recipe import Recipe

PAPER = Report(7, "paper", "A paper")
HERE = PAPER.at("Table 1")
GOOD = Recipe(data="digits", train_size=200, test_size=60, model_args={"hidden": (8,)},
              lr=0.5, epochs=3, batch_size=50)
BAD = GOOD.but(lr=1e-4)
BOTH = {"good": GOOD, "bad": BAD}
steady = settings(derandomize=True, database=None, deadline=None)


def about(id, **more):
    return claim(id, f"statement {id}", source=HERE, **more)


"""


# A line of the overview ends with numbers in columns.
_COUNTS = re.compile(r"  +\d+$")
_MEANING = {"disputed": " (refuted, as expected)", "ran": " (nothing judged)"}


@dataclass
class Ran:
    """What came out of one pytest run.

    Attributes:
        rows: by claim and case, those of the table; a claim that it lacks has its row of this run,
            where that was made in this process.
    """

    result: pytest.RunResult
    rows: dict[str, dict[str, Any]]

    @property
    def text(self) -> str:
        return self.result.stdout.str()

    @property
    def lines(self) -> list[str]:
        return self.result.outlines

    @property
    def errors(self) -> str:
        return self.result.stderr.str()

    @property
    def counts(self) -> dict[str, int]:
        """pytest's last line."""
        counts = self.result.parseoutcomes()
        if "not" in counts:  # it reads one word behind each number
            counts["not evaluated"] = counts.pop("not")
        return counts

    def verdicts(self) -> dict[str, str]:
        return {name: row["verdict"] for name, row in self.rows.items()}

    def reason(self, name: str) -> str:
        return str(self.rows[name]["reason"])

    @property
    def summary(self) -> list[str]:
        """What the plugin says at the end, without pytest's last line."""
        heads = [n for n, line in enumerate(self.lines) if line.strip("= ") == "claims"]
        after = self.lines[heads[-1] + 1 :] if heads else []
        return [line for line in after if line and not line.startswith("=")]

    def told(self) -> str:
        """The plugin's own count, as the last line of its overview has it."""
        head = next(n for n, line in enumerate(self.summary) if line.startswith("report  "))
        names = re.split(r"  +", self.summary[head].strip())[1:]
        rows = itertools.takewhile(_COUNTS.search, self.summary[head + 1 :])
        numbers = list(rows)[-1].split()[-len(names) :]
        pairs = zip(numbers, names, strict=True)
        return ", ".join(f"{number} {name}{_MEANING.get(name, '')}" for number, name in pairs)


def matches(text: str, pattern: str) -> bool:
    """Whether a text matches a shell pattern; brackets are meant as they stand."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


# A project run inside this process finds the plugins imported, which pytest would rewrite first.
REWRITTEN = (
    "  ignore:Module already imported so cannot be rewritten:pytest.PytestAssertRewriteWarning",
)


class Spy:
    """Sees the rows that a session gathered, whether it wrote them or not."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        sink = config.pluginmanager.getplugin("cvclaims-sink")
        self.rows = [row.to_dict() for row in sink.rows.values()] if sink else []


class Project:
    """A folder with claims, and pytest to run in it."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pytester, self.monkeypatch = pytester, monkeypatch
        self.path = pytester.path
        self.results = self.path / ".cvclaims" / "results"
        self.ini()

    def ini(self, *lines: str) -> None:
        base = ("[pytest]", "addopts = --strict-markers", "filterwarnings =", "  error", *REWRITTEN)
        self.pytester.makeini("\n".join((*base, *lines)))

    def write(self, tests: str) -> None:
        source = PRELUDE + textwrap.dedent(tests)
        (self.path / "test_paper.py").write_text(source, encoding="utf-8")

    def forbid(self, *modules: str) -> None:
        """Let the session fail at its end where one of these modules was imported."""
        (self.path / "conftest.py").write_text(
            "import sys\n"
            "def pytest_sessionfinish():\n"
            f"    found = [name for name in {modules!r} if name in sys.modules]\n"
            "    assert not found, found\n"
        )

    def run(self, *options: str) -> Ran:
        """In this process; its xdist workers are others."""
        spy = Spy()
        result = self.pytester.runpytest_inprocess(*options, plugins=[spy])
        return self._ran(result, spy.rows)

    def run_alone(self, *options: str, timeout: float | None = None) -> Ran:
        """In a process of its own, where nothing was imported before; killed after `timeout` s."""
        return self._ran(self.pytester.runpytest_subprocess(*options, timeout=timeout))

    def enter(self, folder: Path) -> None:
        """Stand in a folder from now on."""
        self.monkeypatch.chdir(folder)

    def records(self) -> list[Path]:
        return sorted((self.results / "records").glob("*/*/*.json"))

    def _ran(self, result: pytest.RunResult, own: Sequence[dict[str, Any]] = ()) -> Ran:
        file = self.results / "claims.json"
        rows = json.loads(file.read_bytes())["claims"] if file.exists() else []
        return Ran(result, {"/".join(filter(None, (r["id"], r["case"]))): r for r in (*own, *rows)})
