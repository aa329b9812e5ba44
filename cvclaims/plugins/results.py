"""The plugin that gathers every claim's row, writes the tables, and sums up.

It works in the process that reports: rows arrive with the tests' reports, so one path serves a
plain run and any number of xdist workers.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.plugins import settings as options
from cvclaims.plugins.suite import Suite, suite_of
from cvclaims.text import cells, clean, padded

if TYPE_CHECKING:
    from cvclaims.plugins.terminal import Line, Sheet
    from cvclaims.results.sections import Section
    from cvclaims.results.view import ClaimView
    from cvclaims.results.writing import Written


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """The hooks of `cvclaims.plugins.hooks`."""
    from cvclaims.plugins import hooks

    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Gather in the controller alone; a plan needs no workers, and is printed once."""
    if options.is_plan(config) and hasattr(config.option, "dist"):
        config.option.dist = "no"
    suite = suite_of(config)
    if not suite.is_worker:
        config.pluginmanager.register(Sink(suite), "cvclaims-sink")


# The exit status where tests failed, and every one that did is a claim that was refuted: a result,
# which a script may want to tell from something broken. pytest's own statuses end at 5.
REFUTED_ONLY = 10


class Sink:
    """Rows as they come in; its methods are pytest's hooks."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.rows: dict[str, ClaimView] = {}
        self.problems: list[str] = []
        self._crashed: dict[str, str] = {}
        self._refuted = 0
        self._interrupted = False
        self._written: Written | None = None
        self._unwritten = ""
        self._failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the row that a report carries; a worker's crash arrives without one."""
        for problems in sent(report, "cvclaims_problems"):
            self.problems += problems
            self.suite.troubled(problems)
        for row in sent(report, "cvclaims_row")[-1:]:
            from cvclaims.results.view import ClaimView

            view = self.rows[report.nodeid] = ClaimView.from_dict(json.loads(row))
            self._refuted += report.failed and view.verdict == "refuted"
            self.suite.judged(view)
        # xdist reports the test that a worker died in with "???" for its phase.
        if str(report.when) == "???":
            self._crashed[report.nodeid] = str(report.longrepr).splitlines()[0]

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Know of an interruption: Ctrl-C, a signal, or `pytest.exit`."""
        # By an exception of this name pytest, and xdist by one of its own, end as -x asks them to.
        self._interrupted = type(excinfo.value).__name__ != "Interrupted"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the tables; a session that should have written them and could not has failed."""
        self._add_crashed()
        if not self.rows:
            return
        # pytest counts all that failed: tests, files that could not be collected, other plugins'.
        only = 0 < self._refuted == session.testsfailed
        if only and session.exitstatus == pytest.ExitCode.TESTS_FAILED:
            session.exitstatus = REFUTED_ONLY
        rows = list(self.rows.values())
        if self._interrupted:
            self._unwritten = "the session was interrupted"
        elif not any(_says_something(row) for row in rows):
            smoke = self.suite.settings.scale == "smoke"
            self._unwritten = f"{'smoke' if smoke else 'this session'} judged nothing"
        else:
            self._write(session, rows)
        unwritten = self.suite.notes.read("unwritten-*")
        self.problems += [*self.suite.take_problems(), *unwritten]
        # What -x or -k ends has ended; what was interrupted, or a full disk stopped, goes on.
        goes_on = self._interrupted or self.suite.unwritten or unwritten
        if self.suite.rerun is not None and not goes_on:
            self.suite.rerun.end()

    def _write(self, session: pytest.Session, rows: "list[ClaimView]") -> None:
        from cvclaims.results.output import ResultsError
        from cvclaims.results.writing import write_results

        store, settings = self.suite.store, self.suite.settings
        options.keep_from_git(settings.results, settings.default)
        try:
            self._written = write_results(
                settings.results,
                [row for row in rows if row.scale != "smoke"],
                lambda row: store.evidence(row.evidence),
                lambda: store,
                self._sections(),
            )
            self.problems += self._written.problems
        except ResultsError as error:
            self._unwritten, self._failed = str(error), True
            if session.exitstatus in (pytest.ExitCode.OK, REFUTED_ONLY):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _sections(self) -> "list[Section]":
        """What reports add to the page; one that cannot be had costs neither table nor page."""
        try:
            given = self.suite.config.hook.pytest_claims_sections()
            return [section for sections in given for section in sections]
        except Exception as error:
            self.problems.append(f"no report has its own section ({type(error).__name__}: {error})")
            return []

    def _add_crashed(self) -> None:
        """Rows for claims whose worker died in them, from the notes that it had left."""
        if not self._crashed:
            return
        from cvclaims.results.view import ClaimView
        from cvclaims.verdict.decision import Verdict
        from cvclaims.verdict.judgment import Judgment

        headings = [pair for note in self.suite.notes.read("cases-*") for pair in note.items()]
        for nodeid, heading in headings:
            if nodeid in self._crashed:
                ended = Judgment(Verdict.ERROR, None, self._crashed[nodeid])
                self.rows[nodeid] = ClaimView.of(heading, ended)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Sum up the session, or list the claims' ids beside what --collect-only collected."""
        config = self.suite.config
        listed = config.option.collectonly and config.option.verbose > -2 and self.suite.cases
        if not (listed or self.rows or (self._interrupted and self._had_claims())):
            return
        from cvclaims.plugins.terminal import sheet_of, write

        sheet = sheet_of(config)
        terminalreporter.write_sep("=", "claims")
        write(terminalreporter, self._ids(sheet) if listed else self._lines(sheet))

    def _had_claims(self) -> bool:
        return bool(self.suite.cases or self.suite.notes.read("cases-*"))

    def _ids(self, sheet: "Sheet") -> "Iterator[Line]":
        """The id of each claim that was collected, with its test's name."""
        from cvclaims.plugins.terminal import Line

        # Without the file, lines would not pass for tests to a program that reads node ids.
        names = {case.nodeid: case.nodeid.partition("::")[2] for case in self.suite.cases.values()}
        widest = max(cells(case.claim.id) for case in self.suite.cases.values())
        for case in self.suite.cases.values():
            yield Line(sheet.cut(f"{padded(case.claim.id, widest)}  {names[case.nodeid]}"))

    def _lines(self, sheet: "Sheet") -> "Iterator[Line]":
        """What is printed at the end."""
        from cvclaims.plugins import summary
        from cvclaims.plugins.terminal import Line
        from cvclaims.results.view import in_order

        rows = in_order(self.rows.values())
        before = {} if self._written is None else {row.place: row for row in self._written.before}
        config = self.suite.config
        # pytest leaves its header out with -q, and without options it shows none of ours.
        in_header = config.option.verbose >= 0 and options.any_given(config)
        if config.option.verbose > -2 and not in_header:
            yield from map(Line, self.suite.header())
        if config.option.verbose > 0 or self.suite.settings.table:
            from cvclaims.results.terminal import terminal_table

            for line in terminal_table(rows, sheet.width).splitlines():
                yield Line(sheet.cut(line))
            yield Line("")
        yield from summary.runs_line(rows, *self.suite.runs(), sheet)
        yield from summary.stand_ins(rows, self.suite.settings.data, sheet)
        yield from summary.claim_lines(rows, before, sheet)
        yield from summary.reason_lines(rows, sheet)
        yield from summary.overview(rows, sheet)
        yield from summary.problem_lines(self.problems, sheet)
        yield from self._page(rows, sheet)

    def _page(self, rows: "list[ClaimView]", sheet: "Sheet") -> "Iterator[Line]":
        """Where the page is, or why none was written."""
        from cvclaims.plugins import summary
        from cvclaims.plugins.terminal import Line

        if self._interrupted:
            kept = summary.number(sum(self.suite.runs()), "finished run")
            told = (
                f"interrupted: the records of {kept} are kept; the same command goes on; "
                "--claims-replay writes the tables from what is there"
            )
        elif self._written is None:
            told = f"no page was written: {self._unwritten}"
        else:
            told = f"page: {options.shown(self._written.page)}"
            told += summary.outranked(rows, self._written.rows)
        for line in sheet.wrap(clean(told)):
            yield Line(line, colour="red" if self._failed else "")


def sent(report: object, name: str) -> list[Any]:
    """What came with a report under a name; others may attach whatever they like beside it."""
    return [
        pair[1]
        for pair in getattr(report, "user_properties", ())
        if isinstance(pair, tuple | list) and len(pair) == 2 and pair[0] == name
    ]


def _says_something(row: "ClaimView") -> bool:
    """Whether the results have to know of it: a verdict, or that there is or should be none."""
    from cvclaims.verdict.decision import JUDGED

    told = row.verdict in (*JUDGED, "error") or row.held_back
    return told and row.scale != "smoke"
