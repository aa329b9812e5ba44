"""From a test's end to its claim's row: which verdict, and what pytest makes of it."""

import itertools
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cvclaims.claim import mean_reported
from cvclaims.plugins.cases import Case
from cvclaims.plugins.properties import is_of_the_test
from cvclaims.plugins.results import sent
from cvclaims.results.view import ClaimView
from cvclaims.text import clean
from cvclaims.verdict.decision import JUDGED, Verdict, is_expected, is_surprise
from cvclaims.verdict.judgment import Judgment

ROW = "cvclaims_row"
PROBLEMS = "cvclaims_problems"
# What pytest calls a verdict in its counts and, with -v, behind a test; and its letter.
STATUS = {
    Verdict.SUPPORTED: ("passed", "."),
    Verdict.REFUTED: ("refuted", "F"),
    Verdict.INCONCLUSIVE: ("inconclusive", "?"),
    Verdict.RAN: ("ran", "r"),
    Verdict.NOT_EVALUATED: ("not evaluated", "s"),
    Verdict.ERROR: ("error", "E"),
}


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
    SUPPORTED fails. What decided nothing is a skip with its reason, so that no other plugin takes
    it for a pass; INCONCLUSIVE fails under --claims-strict. A crash is an error.
    """
    _undo_xfail(report, item, call)
    if report.when == "teardown" and not report.failed:
        return  # the call has its row
    if report.when == "setup" and report.passed:
        return
    judgment = _judgment(report, call, case)
    if case.scale == "smoke" and judgment.verdict in JUDGED:
        # Nor does smoke judge what needs no training: it fails for errors alone.
        reason = f"smoke scale judges nothing; {judgment.reason}"
        judgment = replace(judgment, verdict=Verdict.RAN, reason=reason)
    row = ClaimView.of(case.heading(), judgment)
    message = f"claim {row.id} {row.verdict.upper()}: {row.title}\n{row.reason}"
    if row.expected:
        report.outcome = "skipped"
        report.wasxfail = f"refuted as expected: {row.disputed}"
    elif row.verdict == Verdict.SUPPORTED and row.disputed:
        _fail(report, item, f"{message}\nA surprise: the claim is disputed, as {row.disputed}")
    elif row.verdict == Verdict.INCONCLUSIVE and strict:
        _fail(report, item, f"{message}\nInconclusive claims fail under --claims-strict.")
    elif row.verdict in (Verdict.REFUTED, Verdict.ERROR) and not report.failed:
        _fail(report, item, message)
    elif row.verdict in (Verdict.INCONCLUSIVE, Verdict.RAN):
        _skip(report, item, row.reason)
    elif row.verdict == Verdict.NOT_EVALUATED:
        _blame_the_test(report, item)
    elif row.verdict == Verdict.SUPPORTED:
        report.outcome, report.longrepr = "passed", None
    _attach(report, item, row)
    _make_sendable(report)


def _undo_xfail(report: pytest.TestReport, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Let nothing expect a claim to fail but its `disputed`, as a mark that a running test adds."""
    if not hasattr(report, "wasxfail"):
        return
    del report.wasxfail
    if call.excinfo is not None and isinstance(call.excinfo.value, pytest.xfail.Exception):
        _skip(report, item, str(call.excinfo.value))
    elif call.excinfo is not None:
        report.outcome = "failed"


def note_part(report: pytest.TestReport, call: pytest.CallInfo[None], case: Case) -> None:
    """Remember what failed inside a test that goes on, such as a subtest."""
    if report.failed:
        case.failed_parts.append(_why_it_failed(report, call))


def _attach(report: pytest.TestReport, item: pytest.Item, row: ClaimView) -> None:
    """The row for our own process, as one string, and for others what they can show.

    JUnit's files take the properties of the test and not of its report.
    """
    told = {
        "claim_id": row.id,
        "claim_case": row.case,
        "claim_verdict": row.verdict,
        "claim_scale": row.scale,
        "claim_reported": "; ".join(
            f"{name} {mean_reported(value):g}" for name, value in row.reported.items()
        ),
        "claim_measured": "; ".join(_told(name, values) for name, values in row.measured.items()),
        "claim_reason": row.reason,
        "claim_guards": ", ".join(row.guards),
        "claim_size": row.size,
        "claim_own_runs": row.own_runs,
    }
    others = [pair for pair in item.user_properties if pair[0] not in told]
    item.user_properties[:] = [*others, *((n, clean(text)) for n, text in told.items() if text)]
    report.user_properties = [*item.user_properties, (ROW, json.dumps(row.to_dict()))]


def _make_sendable(report: pytest.TestReport) -> None:
    """Escape lone surrogates, as of a strange file's name: xdist would lose the whole session."""
    shown = report.longrepr
    if isinstance(shown, tuple):
        path, line, reason = shown
        report.longrepr = (_encodable(path), line, _encodable(reason))
    elif shown is not None and _encodable(str(shown)) != str(shown):
        report.longrepr = _encodable(str(shown))
    report.sections = [(name, _encodable(text)) for name, text in report.sections]


def _encodable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def _told(name: str, values: Mapping[str, Any]) -> str:
    mean, std = values["mean"], values["std"]
    spread = "" if std is None else f" ± {std:.4g}"
    return f"{name} not finite" if mean is None else f"{name} {mean:.6g}{spread}"


def send_problems(report: pytest.TestReport, problems: Sequence[str]) -> None:
    """Attach what the store could not trust, for the terminal."""
    if problems:
        report.user_properties.append((PROBLEMS, list(problems)))


def status(
    report: pytest.TestReport | pytest.CollectReport, row: Mapping[str, Any]
) -> tuple[str, str, str | tuple[str, dict[str, bool]]]:
    """pytest's category, letter and word for a report that carries a row."""
    verdict, word = row["verdict"], row["verdict"].upper()
    if is_expected(verdict, row["disputed"]):
        return "disputed", "x", ("REFUTED, AS DISPUTED", {"yellow": True})
    if row["disputed"] and is_surprise(verdict, row["disputed"]):
        return "failed", "F", "SUPPORTED, THOUGH DISPUTED"
    if verdict == Verdict.INCONCLUSIVE and report.failed:
        return "failed", "F", word
    return (*STATUS[verdict], word)


def row_of(report: Any) -> dict[str, Any] | None:
    """The row that a report carries, if it does."""
    rows = sent(report, ROW)
    row: dict[str, Any] | None = json.loads(rows[-1]) if rows else None
    return row


def _fail(report: pytest.TestReport, item: pytest.Item, message: str) -> None:
    """Fail a test that raised nothing, as if it had ended with `pytest.fail`."""
    try:
        pytest.fail(message, pytrace=False)
    except pytest.fail.Exception:
        report.longrepr = item.repr_failure(pytest.ExceptionInfo.from_current())
    report.outcome = "failed"


def _skip(report: pytest.TestReport, item: pytest.Item, reason: str) -> None:
    """Let a test that ended count as skipped, at its own place."""
    at, line, _ = item.reportinfo()
    report.outcome = "skipped"
    report.longrepr = (str(at), (line or 0) + 1, reason)


def _blame_the_test(report: pytest.TestReport, item: pytest.Item) -> None:
    """Let a skip that the plugin raised stand at its test: pytest's summary names the place."""
    if isinstance(report.longrepr, tuple):
        path, _, reason = report.longrepr
        if Path(path).parent == Path(__file__).parent:
            at, line, _ = item.reportinfo()
            report.longrepr = (str(at), (line or 0) + 1, reason)


def _judgment(report: pytest.TestReport, call: pytest.CallInfo[None], case: Case) -> Judgment:
    """What became of a test that ended in setup, call or a failed teardown."""
    judge = case.judge
    rule = "property" if case.is_property else judge.rule if judge is not None else None
    if case.failed_parts and not report.failed:
        count, first = len(case.failed_parts), case.failed_parts[0]
        reason = f"{count} subtest{'s' * (count > 1)} failed: {first}"
        return Judgment(Verdict.ERROR, rule, reason)
    given = judge.judgment if judge is not None else None
    if report.skipped and given is None:  # a skip after the verdict takes nothing back
        return Judgment(Verdict.NOT_EVALUATED, rule, _skip_reason(report))
    if report.failed:
        verdict, reason = _failure(report, call, case)
        return Judgment(verdict, rule, reason)
    if case.is_property:
        reason = "Hypothesis found no counterexample"
        return Judgment(Verdict.SUPPORTED, rule, reason, device=_processor())
    if given is None:
        return Judgment(Verdict.ERROR, rule, "the test ended without asking for a verdict")
    return replace(given, rule=rule, device=given.device or _processor())


def _failure(
    report: pytest.TestReport, call: pytest.CallInfo[None], case: Case
) -> tuple[Verdict, str]:
    """A counterexample to a property refutes; any other exception is an error."""
    if case.is_property and call.when == "call" and call.excinfo is not None:
        error = call.excinfo.value
        if _is_counterexample(error):
            return Verdict.REFUTED, _counterexample(error)
    return Verdict.ERROR, _why_it_failed(report, call)


def _why_it_failed(report: pytest.TestReport, call: pytest.CallInfo[None]) -> str:
    """The first line of what was raised, or of what another plugin says that failed the test."""
    if call.excinfo is None:
        text = str(report.longrepr)
    elif isinstance(call.excinfo.value, pytest.fail.Exception):
        text = str(call.excinfo.value)
    else:
        text = f"{call.excinfo.typename}: {call.excinfo.value}"
    lines = text.strip().splitlines()
    return lines[0] if lines else "it failed and does not say why"


def _is_counterexample(error: BaseException) -> bool:
    """Whether every failure that Hypothesis found is the test's, and was found again."""
    from hypothesis.errors import Flaky

    if isinstance(error, Flaky):
        return False
    if isinstance(error, BaseExceptionGroup):
        return all(_is_counterexample(e) for e in error.exceptions)
    return type(error) is AssertionError and is_of_the_test(error)


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
    return str(report.longrepr or "skipped")


def _processor() -> str:
    return f"CPU, {os.cpu_count()} cores"
