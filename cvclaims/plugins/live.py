"""What trains now, while a session waits for it: written to the session's journal, and shown.

On a terminal a table stands below pytest's own output and is drawn anew in place; elsewhere plain
lines come out now and then. Under xdist the workers write the journal, and the process that owns
the terminal reads it. It is decoration: whatever goes wrong with it is passed over.
"""

import contextlib
import functools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims import watching
from cvclaims.events import Follower, Journal, Progress, State

if TYPE_CHECKING:
    from cvclaims.claim import Claim
    from cvclaims.engines import Engine
    from cvclaims.plan import Run
    from cvclaims.plugins.cases import Case
    from cvclaims.plugins.trackers import Tracker
    from cvclaims.records import Record
    from cvclaims.training.timing import Times

PLAIN_SECONDS = 30.0
LOOK_SECONDS = 1.0
MOST_LINES = 20
IDLE_SECONDS = 0.5  # pytest writes a result in several pieces: none may come in between
# Move down (scrolling where it has to) and up again, so that there is room below; remember where
# pytest left the cursor; each line is cleared and written; and back.
DOWN, UP, SAVE, RESTORE = "\x1bD", "\x1b[{}A", "\x1b7", "\x1b8"
LINE = "\x1b[B\r\x1b[2K{}"
# What pytest writes goes to the end of its output: all that lies behind is ours.
ERASE = "\x1b[J"


class Display:
    """Shows a state to whoever looks; this one to nobody."""

    every = PLAIN_SECONDS

    def __init__(self) -> None:
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether it may change again; if so, that moment counts as its last change."""
        now = time.monotonic()
        if now - self._last < self.every:
            return False
        self._last = now
        return True

    def show(self, state: State) -> None:
        """Show what trains."""

    def clear(self) -> None:
        """Nothing trains any more."""


class Drawn(Display):
    """A table below pytest's output on a terminal.

    It writes to the terminal itself: in a test, pytest captures the standard output.
    """

    every = 1.0

    def __init__(self, terminal: int, encoding: str = "utf-8") -> None:
        super().__init__()
        self.terminal, self.encoding = terminal, encoding
        self._drawn = False

    def show(self, state: State) -> None:
        """Draw what trains."""
        if not state.active:
            return self.clear()
        with contextlib.suppress(OSError):
            columns, height = os.get_terminal_size(self.terminal)
            size = columns or 80, min(height or 24, MOST_LINES)
            lines = watching.drawn(state, time.time(), size, self.encoding)
            room = DOWN * len(lines) + UP.format(len(lines)) + SAVE
            self._write(ERASE + room + "".join(map(LINE.format, lines)) + RESTORE)
            self._drawn = True

    def clear(self) -> None:
        """Leave the terminal as pytest has it."""
        if self._drawn:
            self._drawn = False
            with contextlib.suppress(OSError):
                self._write(ERASE)

    def _write(self, text: str) -> None:
        # One call, so that nothing of another thread or process comes in between.
        os.write(self.terminal, text.encode(self.encoding, errors="replace"))


class Printed(Display):
    """Plain lines between pytest's own, for logs."""

    every = PLAIN_SECONDS

    def __init__(self, config: pytest.Config, reporter: pytest.TerminalReporter) -> None:
        super().__init__()
        self.reporter, self.writer = reporter, config.get_terminal_writer()
        self.capture = config.pluginmanager.getplugin("capturemanager")

    def show(self, state: State) -> None:
        """Print what trains, a line each, and how far the whole is."""
        if not state.active:
            return
        free = self.capture.global_and_fixture_disabled() if self.capture else None
        with free or contextlib.nullcontext():
            self.reporter.ensure_newline()
            if self.writer.width_of_current_line:  # workers' dots, which it does not know of
                self.reporter.line("")
            told = f"claims: {watching.whole(state, time.time())}"
            for text in [*watching.lines(state), told]:
                self.reporter.write_line(text)
            self.reporter.flush()


@dataclass
class Known:
    """What is known of runs before they train.

    Attributes:
        arms: whose a recipe is, by the beginning of its digest: claims, and their names for it.
        work: the work of one of its runs.
        planned: the runs of all first looks, as `Progress.run` names them.
        claims: how many claims there are.
    """

    arms: dict[str, dict[str, str]] = field(default_factory=dict)
    work: dict[str, float] = field(default_factory=dict)
    planned: set[str] = field(default_factory=set)
    claims: int = 0

    @classmethod
    def of(cls, cases: "Iterable[Case]", plan: "Iterable[Run]") -> "Known":
        """Of a session's cases and its plan."""
        known = cls()
        for case in cases:
            known.claims += 1
            for name, arm in case.arms.items():
                recipe = arm.trained.digest[:12]
                known.arms.setdefault(recipe, {}).setdefault(called(case.claim), name)
                known.work[recipe] = arm.trained.work
        known.planned = {name_of(run) for run in plan}
        return known

    def held(self, names: Iterable[str]) -> dict[str, float]:
        """The work of those of these runs that are of the plan."""
        work = {name: self.work.get(name.partition("/")[0], 0.0) for name in names}
        return {name: work[name] for name in work if name in self.planned}


def called(claim: "Claim") -> str:
    """A claim's name, where it may have several cases."""
    return f"{claim.id} {claim.case}".strip()


def name_of(run: "Run") -> str:
    """As `Progress.run` names it."""
    return f"{run.trained.digest[:12]}/{run.seed}"


class Live:
    """What a process of a session tells of its training: to the journal, trackers and a display.

    Attributes:
        claim: the name of the claim that waits for it.
    """

    claim = ""

    def __init__(
        self,
        journal: Journal,
        display: Display,
        trackers: "Sequence[Tracker]" = (),
        known: Callable[[], Known] = Known,
    ) -> None:
        self.journal, self.display, self.trackers = journal, display, list(trackers)
        self.state, self._follower = State(), Follower(journal.path)
        self.faults: list[str] = []
        self._make = known
        self._held: set[str] = set()

    @functools.cached_property
    def known(self) -> Known:
        """What is known of the session's runs."""
        return self._make()

    def tell(self, progress: Progress) -> None:
        """A run goes on, or is over."""
        known, run = self.known, progress.run
        if not self.journal.begun:
            work = sum(known.held(known.planned).values())
            self.journal.begin(claims=known.claims, runs=len(known.planned), work=work)
        arms = known.arms.get(progress.recipe, {})
        # It may train for another claim, while what its own wants trains elsewhere.
        claim = self.claim if self.claim in arms or not arms else next(iter(arms))
        if self.journal.due(progress):
            work, planned = known.work.get(progress.recipe, 0.0), run in known.planned
            self.journal.progress(claim, arms.get(claim, ""), work, planned, progress)
        for tracker in list(self.trackers):
            self._track(tracker, f"{claim} {arms.get(claim, '')}".strip(), progress)
        if not progress.done and self.display.due():
            self.look()

    def _track(self, tracker: "Tracker", whose: str, progress: Progress) -> None:
        try:
            tracker.take(whose, progress)
        except Exception as error:  # whatever a tool raises costs no run
            self._drop(tracker, error)

    def _drop(self, tracker: "Tracker", error: Exception) -> None:
        self.trackers.remove(tracker)
        why = (str(error).splitlines() or [""])[0]
        self.faults.append(f"--claims-live {tracker.name} ended ({type(error).__name__}: {why})")

    def hold(self, runs: "Iterable[Run]") -> None:
        """These runs are here, trained or found."""
        new = {name_of(run) for run in runs} - self._held
        self._held |= new
        if held := self.known.held(sorted(new)):
            self.journal.write("held", runs=held)

    def look(self) -> None:
        """Show what the journal tells of all processes."""
        self._follower.into(self.state)
        self.display.show(self.state)

    def take_faults(self) -> list[str]:
        """What went wrong with telling since last asked; no run was lost by it."""
        taken, self.faults = [*self.faults, *self.journal.take_faults()], []
        return taken

    def close(self) -> None:
        """Nothing trains any more."""
        self.display.clear()
        for tracker in list(self.trackers):
            try:
                tracker.close()
            except Exception as error:
                self._drop(tracker, error)
        self.journal.close()


class Told:
    """The session's engine, made when a verdict first asks for runs, and told of to a display."""

    def __init__(
        self,
        engine: "Callable[[], Engine]",
        live: Live | None,
        claim: str,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        self.engine, self.live, self.claim, self.done = engine, live, claim, done

    def records(self, runs: "Sequence[Run]") -> "list[Record]":
        """The records of the engine; the display is gone when they are here."""
        live = self.live
        try:
            if live is not None:
                live.claim = self.claim
            records = self.engine().records(runs)
            if live is not None:
                live.hold(runs)
            return records
        finally:
            if live is not None:
                live.display.clear()
            self.done()

    def times(self, *asked: Any) -> "Times":
        """The engine's times."""
        return self.engine().times(*asked)


class Watch(threading.Thread):
    """Shows, in the process that reports, what the journal tells of its workers."""

    def __init__(self, live: Live, writer: Any) -> None:
        super().__init__(name="cvclaims-live", daemon=True)
        self.live, self.writer = live, writer
        self._done = threading.Event()
        self._lock = threading.RLock()
        self._wrote = time.monotonic()
        self._write = writer.write
        # Everything that pytest and its plugins print comes through here, in whichever hook.
        writer.write = self._guarded

    def _guarded(self, *args: Any, **markup: Any) -> None:
        with self._lock:
            self._wrote = time.monotonic()
            self.live.display.clear()
            self._write(*args, **markup)

    def run(self) -> None:
        """Look now and then."""
        with contextlib.suppress(Exception):
            while not self._done.wait(LOOK_SECONDS):
                with self._lock:
                    quiet = time.monotonic() - self._wrote > IDLE_SECONDS
                    if quiet and self.live.display.due():
                        self.live.look()

    def stop(self) -> None:
        """Leave the terminal to pytest alone."""
        self._done.set()
        self.join(timeout=5)
        self.live.display.clear()
        self.writer.write = self._write


def display_for(config: pytest.Config) -> Display:
    """The display of the process that owns the terminal; to nobody with -q or without a terminal.

    To be called while pytest captures nothing.
    """
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if not isinstance(reporter, pytest.TerminalReporter) or config.option.verbose < 0:
        return Display()
    # With -s or --capture=tee-sys tests write to the terminal, and could write into the table.
    in_place = sys.stdout.isatty() and config.getoption("capture") in ("fd", "sys")
    if in_place and sys.platform != "win32" and os.environ.get("TERM", "dumb") != "dumb":
        return Drawn(os.dup(sys.stdout.fileno()), sys.stdout.encoding)
    return Printed(config, reporter)
