"""The plugin that gathers every claim's row, writes the tables, and sums up.

It works in the process that reports: rows arrive with the tests' reports, so one path serves a
plain run and any number of xdist workers.
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.plugins import settings as options
from cvclaims.plugins.suite import Suite, suite_of

if TYPE_CHECKING:
    from cvclaims.report.page import Written
    from cvclaims.report.rows import Row

ORDER = ("supported", "refuted", "disputed", "inconclusive", "ran", "not evaluated", "error")
# What a newcomer cannot guess.
MEANING = {"disputed": " (refuted, as expected)", "ran": " (nothing judged)"}


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
        self._written: Written | None = None
        self._unwritten = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the row that a report carries; a worker's crash arrives without one."""
        properties: dict[str, Any] = dict(report.user_properties)
        self.problems += properties.get("cvclaims_problems", ())
        verdict = None
        if "cvclaims_row" in properties:
            self.rows[report.nodeid] = json.loads(properties["cvclaims_row"])
            verdict = self.rows[report.nodeid]["verdict"]
        if report.failed and verdict != "refuted":
            self._broken += 1
        # xdist reports the test that a worker died in with "???" for its phase.
        if str(report.when) == "???":
            self._crashed[report.nodeid] = str(report.longrepr).splitlines()[0]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the tables; a session that should have written them and could not has failed."""
        self._add_crashed()
        if session.exitstatus == pytest.ExitCode.TESTS_FAILED and not self._broken:
            session.exitstatus = REFUTED_ONLY
        if not self.rows:
            return
        from cvclaims.report.page import ReportError, write_results

        store = self.suite.store
        try:
            self._written = write_results(
                self.suite.settings.results,
                self._judged(),
                lambda row: store.evidence(row.evidence),
                lambda: store,
            )
            self.problems += self._written.problems
        except ReportError as error:
            self._unwritten = str(error)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        self.problems += self.suite.take_problems()

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
        """Show the table, count the verdicts and name the file; with -qq no table."""
        if not self.rows:
            return
        terminal, rows = terminalreporter, self._judged()
        terminal.write_sep("=", "claims")
        if self.suite.config.option.verbose > -2:
            from cvclaims.report.tables import terminal_table

            width = self.suite.config.get_terminal_writer().fullwidth
            terminal.write_line(terminal_table(self._standing(rows), width) + "\n")
        for problem in dict.fromkeys(self.problems):
            terminal.write_line(f"damage: {problem}", yellow=True)
        terminal.write_line(f"this run: {told(rows)}{self._kept(rows)}")
        if self._unwritten:
            terminal.write_line(f"no table was written: {self._unwritten}", red=True)
        elif self._written is not None:
            terminal.write_line(f"table: {options.shown(self._written.page)}")

    def _standing(self, rows: "list[Row]") -> "list[Row]":
        """The rows that stand in the tables for the claims of this run."""
        if self._written is None:
            return rows
        places = {row.place for row in rows}
        return [row for row in self._written.rows if row.place in places]

    def _kept(self, rows: "list[Row]") -> str:
        """How many rows of an earlier run the table holds in place of this run's."""
        kept = sum(row not in rows for row in self._standing(rows))
        return f"; of {kept} the table keeps the verdict of an earlier, larger run" if kept else ""


def told(rows: "list[Row]") -> str:
    """How many rows came to each verdict, in words."""
    counts = count(rows)
    there = [name for name in ORDER if counts[name]]
    return ", ".join(f"{counts[name]} {name}{MEANING.get(name, '')}" for name in there)


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
