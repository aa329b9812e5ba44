"""The plugin that gathers every claim's row, writes the tables, and sums up.

It works in the process that reports: rows arrive with the tests' reports, so one path serves a
plain run and any number of xdist workers.
"""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.plugins.suite import Suite, suite_of

if TYPE_CHECKING:
    from cvclaims.report.page import Written
    from cvclaims.report.rows import Row

ORDER = ("supported", "refuted", "disputed", "inconclusive", "ran", "not evaluated", "error")


def pytest_configure(config: pytest.Config) -> None:
    """Gather in the controller alone."""
    suite = suite_of(config)
    if not suite.is_worker:
        config.pluginmanager.register(Sink(suite), "cvclaims-sink")


class Sink:
    """Rows as they come in; its methods are pytest's hooks."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.rows: dict[str, Mapping[str, Any]] = {}
        self.problems: list[str] = []
        self._crashed: dict[str, str] = {}
        self._headings: dict[str, Mapping[str, Any]] = {}
        self._written: "Written | None" = None
        self._unwritten = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the row that a report carries; a worker's crash arrives without one."""
        for name, value in report.user_properties:
            if name == "cvclaims_row":
                self.rows[report.nodeid] = value
            elif name == "cvclaims_problems":
                self.problems += value
        # xdist reports the test that a worker died in with "???" for its phase.
        if str(report.when) == "???":
            self._crashed[report.nodeid] = str(report.longrepr).splitlines()[0]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Learn from a worker that ended well which claims a crashed one had."""
        self._headings.update(getattr(node, "workeroutput", {}).get("cvclaims_cases", {}))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write the tables."""
        for nodeid, why in self._crashed.items():
            if nodeid in self._headings:
                self.rows[nodeid] = _crash_row(self._headings[nodeid], why)
        if not self.rows:
            return
        from cvclaims.report.page import ReportError, write_results
        from cvclaims.report.rows import Row

        rows = [Row.from_dict(row) for row in self.rows.values()]
        try:
            self._written = write_results(
                self.suite.settings.results,
                rows,
                lambda row: self.suite.store.evidence(row.evidence),
            )
        except ReportError as error:
            self._unwritten = str(error)
        self.problems += self.suite.take_problems()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Count the verdicts and name the table."""
        if not self.rows:
            return
        from cvclaims.report.rows import Row
        from cvclaims.report.tables import terminal_table

        terminal = terminalreporter
        rows = [Row.from_dict(row) for row in self.rows.values()]
        terminal.section("claims", sep="=")
        width = terminal._tw.fullwidth
        terminal.write_line(terminal_table(self._standing(rows), width))
        for problem in dict.fromkeys(self.problems):
            terminal.write_line(f"store: {problem}", yellow=True)
        counts = count(rows)
        terminal.write_line("")
        terminal.write_line(
            "this run: " + ", ".join(f"{counts[name]} {name}" for name in ORDER if counts[name])
        )
        if self._unwritten:
            terminal.write_line(f"no table was written: {self._unwritten}", red=True)
        elif self._written is not None:
            from cvclaims.plugins.settings import shown

            terminal.write_line(f"table: {shown(self._written.page)}")

    def _standing(self, rows: "list[Row]") -> "list[Row]":
        """The rows that stand in the tables for the claims of this run."""
        if self._written is None:
            return rows
        places = {row.place for row in rows}
        return [row for row in self._written.rows if row.place in places]


def count(rows: "list[Row]") -> Counter[str]:
    """How many rows came to each verdict; a disputed claim that was refuted counts as disputed."""
    return Counter(
        "disputed" if row.verdict == "refuted" and row.disputed else row.verdict for row in rows
    )


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
