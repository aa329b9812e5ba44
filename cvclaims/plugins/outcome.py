"""From a test's end to its claim's row: which verdict, and what pytest makes of it."""

import itertools
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cvclaims.plugins.cases import Case
from cvclaims.report.rows import JUDGED, Row

ROW = "cvclaims_row"
PROBLEMS = "cvclaims_problems"


def apply(
    report: pytest.TestReport,
    item: pytest.Item,
    call: pytest.CallInfo[None],
    case: Case,
    *,
    strict: bool,
) -> None:
    """Set the report's outcome by the claim's verdict and attach its row.

    SUPPORTED passes; REFUTED fails, unless the claim is disputed: then REFUTED is expected and
    SUPPORTED fails. INCONCLUSIVE passes, or fails under --claims-strict. A crash is an error.
    """
    if report.passed and report.when != "call":
        return
    row = _row(report, call, case)
    if case.scale == "smoke" and row.verdict in JUDGED:
        # Nor does smoke judge what needs no training: it fails for errors alone.
        row = replace(row, verdict="ran", reason=f"smoke scale judges nothing; {row.reason}")
    disputed = case.claim.disputed
    message = f"claim {row.id} {row.verdict.upper()}: {row.title}\n{row.reason}"
    if row.verdict == "refuted" and disputed:
        report.outcome = "skipped"
        report.wasxfail = f"refuted as expected: {disputed}"
    elif row.verdict == "supported" and disputed:
        _fail(report, item, f"{message}\nA surprise: the claim is disputed, as {disputed}")
    elif row.verdict == "inconclusive" and strict:
        _fail(report, item, f"{message}\nInconclusive claims fail under --claims-strict.")
    elif row.verdict in ("refuted", "error") and report.passed:
        _fail(report, item, message)
    elif row.verdict == "ran":
        at, line, _ = item.reportinfo()
        report.outcome, report.longrepr = "skipped", (str(at), (line or 0) + 1, row.reason)
    elif row.verdict == "not evaluated":
        _blame_the_test(report, item)
    report.user_properties.append((ROW, row.to_dict()))


def send_problems(report: pytest.TestReport, problems: Sequence[str]) -> None:
    """Attach what the store could not trust, for the terminal."""
    if problems:
        report.user_properties.append((PROBLEMS, list(problems)))


def status(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, str | tuple[str, dict[str, bool]]] | None:
    """pytest's category, letter and word for a report that carries a row."""
    row = row_of(report)
    assert row is not None
    word = row["verdict"].upper()
    if row["verdict"] == "error":
        return "error", "E", "ERROR"
    if row["verdict"] == "refuted" and row["disputed"]:
        return "disputed", "x", ("REFUTED, AS DISPUTED", {"yellow": True})
    if row["verdict"] == "supported" and row["disputed"]:
        return "failed", "F", "SUPPORTED, THOUGH DISPUTED"
    if row["verdict"] == "refuted":
        return "refuted", "F", (word, {"red": True})
    if report.failed:
        return "failed", "F", word
    if row["verdict"] == "supported":
        return "passed", ".", word
    if row["verdict"] == "inconclusive":
        return "inconclusive", "?", (word, {"yellow": True})
    if row["verdict"] == "ran":
        return "ran", "r", (word, {"cyan": True})
    return "not evaluated", "s", (word, {"yellow": True})


def row_of(report: Any) -> dict[str, Any] | None:
    """The row that a report carries, if it does."""
    rows = [value for name, value in getattr(report, "user_properties", ()) if name == ROW]
    return rows[-1] if rows else None


def _fail(report: pytest.TestReport, item: pytest.Item, message: str) -> None:
    """Fail a test that raised nothing, as if it had ended with `pytest.fail`."""
    try:
        pytest.fail(message, pytrace=False)
    except pytest.fail.Exception:
        report.longrepr = item.repr_failure(pytest.ExceptionInfo.from_current())
    report.outcome = "failed"


def _blame_the_test(report: pytest.TestReport, item: pytest.Item) -> None:
    """Let a skip that the plugin raised stand at its test: pytest's summary names the place."""
    if isinstance(report.longrepr, tuple):
        path, _, reason = report.longrepr
        if Path(path).parent == Path(__file__).parent:
            at, line, _ = item.reportinfo()
            report.longrepr = (str(at), (line or 0) + 1, reason)


def _row(report: pytest.TestReport, call: pytest.CallInfo[None], case: Case) -> Row:
    """The row of a test that ended in setup, call or a failed teardown."""
    judge = case.judge
    parts: dict[str, Any] = {
        **case.heading(),
        "rule": "property" if case.is_property else judge.rule if judge is not None else None,
        "measured": {},
        "device": "",
        "data": "",
    }
    if report.skipped:
        return Row(**parts, verdict="not evaluated", reason=_skip_reason(report))
    if report.failed:
        verdict, reason = _failure(report, call, case)
        return Row(**parts, verdict=verdict, reason=reason)
    if case.is_property:
        parts["device"] = _processor()
        return Row(**parts, verdict="supported", reason="Hypothesis found no counterexample")
    judgment = judge.judgment if judge is not None else None
    if judgment is None:
        return Row(**parts, verdict="error", reason="the test ended without asking for a verdict")
    parts |= {
        "measured": judgment.measured,
        "device": judgment.device or _processor(),
        "data": judgment.data,
        "evidence": judgment.evidence,
    }
    return Row(**parts, verdict=judgment.verdict.value, reason=judgment.reason)


def _failure(report: pytest.TestReport, call: pytest.CallInfo[None], case: Case) -> tuple[str, str]:
    """A counterexample to a property refutes; any other exception is an error."""
    if call.excinfo is None:  # another plugin failed the test, which raised nothing
        text = str(report.longrepr)
    else:
        error = call.excinfo.value
        if case.is_property and call.when == "call" and _is_counterexample(error):
            return "refuted", _counterexample(error)
        text = f"{type(error).__name__}: {error}"
        if isinstance(error, pytest.fail.Exception):
            text = str(error)
    lines = text.strip().splitlines()
    return "error", lines[0] if lines else "it failed and does not say why"


def _is_counterexample(error: BaseException) -> bool:
    """Whether every failure that Hypothesis found is an assertion, and found again when retried."""
    from hypothesis.errors import Flaky

    if isinstance(error, Flaky):
        return False
    if isinstance(error, BaseExceptionGroup):
        return all(_is_counterexample(e) for e in error.exceptions)
    return type(error) is AssertionError


def _counterexample(error: BaseException) -> str:
    """Hypothesis's shrunk example, which it adds to the exception as a note."""
    if isinstance(error, BaseExceptionGroup):
        return _counterexample(error.exceptions[0])
    notes = [line.strip() for note in getattr(error, "__notes__", ()) for line in note.splitlines()]
    # Hypothesis goes on to explain by the lines that ran, with this machine's paths.
    notes = list(itertools.takewhile(lambda line: not line.startswith("Explanation:"), notes))
    example = " ".join(line for line in notes if line and not line.startswith("#"))
    # A long tensor says nothing in a table; the test's own output has all of it.
    return (example or str(error).split("\n")[0])[:300]


def _skip_reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(getattr(report, "wasxfail", "") or report.longrepr or "skipped")


def _processor() -> str:
    return f"CPU, {os.cpu_count()} cores"
