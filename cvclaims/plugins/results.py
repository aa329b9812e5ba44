"""The plugin that gathers every claim's row, writes the tables, and sums up.

It works in the process that reports: rows arrive with the tests' reports, so one path serves a
plain run and any number of xdist workers.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.plugins import settings as options
from cvclaims.plugins.suite import Suite, suite_of
from cvclaims.text import clean

if TYPE_CHECKING:
    from cvclaims.plugins.terminal import Line, Sheet
    from cvclaims.report.page import Written
    from cvclaims.report.rows import Row

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
        self.rows: dict[str, Mapping[str, Any]] = {}
        self.problems: list[str] = []
        self._crashed: dict[str, str] = {}
        self._broken = 0
        self._interrupted = False
        self._written: Written | None = None
        self._unwritten = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the row that a report carries; a worker's crash arrives without one."""
        properties: list[tuple[str, Any]] = report.user_properties
        for name, value in properties:
            if name == "cvclaims_row":
                self.rows[report.nodeid] = value
            elif name == "cvclaims_problems":
                self.problems += value
        if report.failed and dict(properties).get("cvclaims_row", {}).get("verdict") != "refuted":
            self._broken += 1
        # xdist reports the test that a worker died in with "???" for its phase.
        if str(report.when) == "???":
            self._crashed[report.nodeid] = str(report.longrepr).splitlines()[0]

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Know of an interruption; pytest also ends itself in this way, as xdist does after -x."""
        self._interrupted = not isinstance(excinfo.value, pytest.Session.Interrupted)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the tables; a session that should have written them and could not has failed."""
        self._add_crashed()
        if session.exitstatus == pytest.ExitCode.TESTS_FAILED and not self._broken:
            session.exitstatus = REFUTED_ONLY
        if not self.rows:
            return
        rows = self._judged()
        if self._interrupted:
            self._unwritten = "the session was interrupted"
        elif not any(_is_judged(row) for row in rows):
            smoke = self.suite.settings.scale == "smoke"
            self._unwritten = f"{'smoke' if smoke else 'this session'} judged nothing"
        else:
            self._write(session, rows)
        self.problems += self.suite.take_problems()

    def _write(self, session: pytest.Session, rows: "list[Row]") -> None:
        from cvclaims.report.page import ReportError, write_results

        store = self.suite.store
        try:
            self._written = write_results(
                self.suite.settings.results,
                [row for row in rows if row.scale != "smoke"],
                lambda row: store.evidence(row.evidence),
                lambda: store,
            )
            self.problems += self._written.problems
        except ReportError as error:
            self._unwritten = str(error)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def _add_crashed(self) -> None:
        """Rows for claims whose worker died in them, from the notes that it had left."""
        if self._crashed:
            headings = [pair for note in self.suite.notes.read("cases-*") for pair in note.items()]
            for nodeid, heading in headings:
                if nodeid in self._crashed:
                    self.rows[nodeid] = _crash_row(heading, self._crashed[nodeid])

    def _judged(self) -> "list[Row]":
        from cvclaims.report.rows import Row

        return [Row.from_dict(row) for row in self.rows.values()]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Sum up the session, or list the claims' ids beside what --collect-only collected."""
        config = self.suite.config
        collected = config.option.collectonly and config.option.verbose > -2
        if not self.rows and not (collected and self.suite.cases):
            return
        from cvclaims.plugins.terminal import sheet_of, write

        sheet = sheet_of(config)
        terminalreporter.write_sep("=", "claims")
        write(terminalreporter, self._lines(sheet) if self.rows else self._ids(sheet))

    def _ids(self, sheet: "Sheet") -> "Iterator[Line]":
        """The id of each claim that was collected, with its test's name."""
        from cvclaims.plugins.terminal import Line

        # Without the file, lines would not pass for tests to a program that reads node ids.
        names = {case.nodeid: case.nodeid.partition("::")[2] for case in self.suite.cases.values()}
        widest = max(len(case.claim.id) for case in self.suite.cases.values())
        for case in self.suite.cases.values():
            yield Line(sheet.cut(f"{case.claim.id:{widest}}  {names[case.nodeid]}"))

    def _lines(self, sheet: "Sheet") -> "Iterator[Line]":
        """What is printed at the end."""
        from cvclaims.plugins import summary
        from cvclaims.plugins.terminal import Line

        rows = summary.in_order(self._judged())
        before = {} if self._written is None else {row.place: row for row in self._written.before}
        option = self.suite.config.option.verbose
        if option == -1:  # pytest has left out its header
            yield from map(Line, self.suite.header())
        if option > 0 or self.suite.settings.table:
            from cvclaims.report.tables import terminal_table

            for line in terminal_table(rows, sheet.width).splitlines():
                yield Line(sheet.cut(line))
            yield Line("")
        yield from summary.runs_line(rows, self.suite.trained(), sheet)
        yield from summary.stand_ins(rows, self.suite.settings.data, sheet)
        yield from summary.claim_lines(rows, before, sheet)
        yield from summary.reason_lines(rows, sheet)
        yield from summary.overview(rows, sheet)
        yield from summary.problem_lines(self.problems, sheet)
        yield from self._page(rows, sheet)

    def _page(self, rows: "list[Row]", sheet: "Sheet") -> "Iterator[Line]":
        """Where the page is, or why none was written."""
        from cvclaims.plugins import summary
        from cvclaims.plugins.terminal import Line

        if self._interrupted:
            kept = summary.number(self.suite.trained(), "finished run")
            told = (
                f"interrupted: the records of {kept} are kept; the same command goes on; "
                "--claims-replay writes the tables from what is there"
            )
        elif self._written is None:
            told = f"no page was written: {self._unwritten}"
        else:
            told = f"page: {options.shown(self._written.page)}"
            told += summary.outranked(rows, self._written.rows)
        yield from map(Line, sheet.wrap(clean(told)))


def _is_judged(row: "Row") -> bool:
    from cvclaims.report.rows import JUDGED

    return row.verdict in JUDGED and row.scale != "smoke"


def _crash_row(heading: Mapping[str, Any], why: str) -> Mapping[str, Any]:
    return {
        **heading,
        "rule": None,
        "verdict": "error",
        "measured": {},
        "device": "",
        "data": "",
        "reason": why,
    }
