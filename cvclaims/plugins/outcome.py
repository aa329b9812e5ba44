"""From a test's end to its claim's row: which verdict, and what pytest makes of it."""

import os
from collections.abc import Sequence
from typing import Any

import pytest

from cvclaims.plugins.cases import Case
from cvclaims.records.record import TRAINING_REVISION
from cvclaims.report.rows import Row

ROW = "cvclaims_row"
PROBLEMS = "cvclaims_problems"


def apply(
    report: pytest.TestReport, call: pytest.CallInfo[None], case: Case, *, strict: bool
) -> None:
    """Set the report's outcome by the claim's verdict and attach its row.

    SUPPORTED passes; REFUTED fails, unless the claim is disputed: then REFUTED is expected and
    SUPPORTED fails. INCONCLUSIVE passes, or fails under --claims-strict. A crash is an error.
    """
    if report.when == "teardown" and report.passed:
        return
    if report.when == "setup" and report.passed:
        return
    row = _row(report, call, case)
    disputed = case.claim.disputed
    message = f"claim {row.id} {row.verdict.upper()}: {row.title}\n{row.reason}"
    if row.verdict == "refuted" and disputed:
        report.outcome = "skipped"
        report.wasxfail = f"refuted as expected: {disputed}"
    elif row.verdict == "supported" and disputed:
        _fail(report, f"{message}\nThis is a surprise: the claim is disputed ({disputed})")
    elif row.verdict == "refuted" or (row.verdict == "inconclusive" and strict):
        _fail(report, message)
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
        return "error" if report.when != "call" else "failed", "E", "ERROR"
    if row["verdict"] == "refuted" and row["disputed"]:
        return "xfailed", "x", "REFUTED, AS DISPUTED"
    if report.failed:
        return "failed", "F", word
    if row["verdict"] == "supported":
        return "passed", ".", word
    if row["verdict"] == "inconclusive":
        return "inconclusive", "?", (word, {"yellow": True})
    if row["verdict"] == "ran":
        return "ran", "r", (word, {"cyan": True})
    return None  # skipped, as pytest shows it


def row_of(report: Any) -> dict[str, Any] | None:
    """The row that a report carries, if it does."""
    rows = [value for name, value in getattr(report, "user_properties", ()) if name == ROW]
    return rows[-1] if rows else None


def _fail(report: pytest.TestReport, message: str) -> None:
    report.outcome = "failed"
    report.longrepr = message


def _row(report: pytest.TestReport, call: pytest.CallInfo[None], case: Case) -> Row:
    """The row of a test that ended in setup, call or a failed teardown."""
    judge = case.judge
    judgment = judge.judgment if judge is not None else None
    parts: dict[str, Any] = {
        **case.heading(),
        "rule": "property" if case.is_property else judge.rule if judge is not None else None,
        "measured": {},
        "device": "",
        "data": "",
        "revision": TRAINING_REVISION,
    }
    if report.skipped:
        return Row(**parts, verdict="not evaluated", reason=_skip_reason(report))
    if report.failed:
        verdict, reason = _failure(call, case)
        return Row(**parts, verdict=verdict, reason=reason)
    if case.is_property:
        parts["device"] = _processor()
        return Row(**parts, verdict="supported", reason="Hypothesis found no counterexample")
    if judgment is None:
        report.outcome = "failed"
        report.longrepr = f"claim {case.claim.id}: the test ended without asking for a verdict"
        return Row(**parts, verdict="error", reason="the test ended without asking for a verdict")
    parts |= {
        "measured": judgment.measured,
        "device": judgment.device or _processor(),
        "data": judgment.data,
        "evidence": judgment.evidence,
    }
    return Row(**parts, verdict=judgment.verdict.value, reason=judgment.reason)


def _failure(call: pytest.CallInfo[None], case: Case) -> tuple[str, str]:
    """A counterexample to a property refutes; any other exception is an error."""
    assert call.excinfo is not None
    error = call.excinfo.value
    if case.is_property and call.when == "call" and _all_assertions(error):
        return "refuted", _counterexample(error)
    text = f"{type(error).__name__}: {error}".strip().splitlines()
    return "error", text[0] if text else type(error).__name__


def _all_assertions(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_all_assertions(e) for e in error.exceptions)
    return type(error) is AssertionError


def _counterexample(error: BaseException) -> str:
    """Hypothesis's shrunk example, which it adds to the exception as a note."""
    if isinstance(error, BaseExceptionGroup):
        return _counterexample(error.exceptions[0])
    notes = [line.strip() for note in getattr(error, "__notes__", ()) for line in note.splitlines()]
    example = " ".join(line for line in notes if line and not line.startswith("#"))
    # A long tensor says nothing in a table; the test's own output has all of it.
    return (example or str(error).splitlines()[0])[:300]


def _skip_reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(getattr(report, "wasxfail", "") or report.longrepr or "skipped")


def _processor() -> str:
    return f"CPU, {os.cpu_count()} cores"
