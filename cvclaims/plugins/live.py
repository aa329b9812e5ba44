"""What trains now, while a session waits for it: written to the session's journal, and shown.

On a terminal a table stands below pytest's own output and is drawn anew in place; elsewhere plain
lines come out now and then. Under xdist the workers write the journal, and the process that owns
the terminal reads it. It is decoration: whatever goes wrong with it is passed over.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.events import Follower, Journal, Progress, State

if TYPE_CHECKING:
    from cvclaims.engines import Engine
    from cvclaims.plan import Run
    from cvclaims.plugins.trackers import Tracker
    from cvclaims.records import Record
    from cvclaims.training.timing import Times

PLAIN_SECONDS = 30.0
LOOK_SECONDS = 1.0
IDLE_SECONDS = 0.5  # pytest writes a result in several pieces: none may come in between
MOST_LINES = 16
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

    every = 0.25

    def __init__(self, terminal: int) -> None:
        super().__init__()
        self.terminal = terminal
        self._drawn = False

    def show(self, state: State) -> None:
        """Draw what trains."""
        if not state.active:
            return self.clear()
        with contextlib.suppress(OSError):
            size = os.get_terminal_size(self.terminal)
            lines = rendered(state, max(20, (size.columns or 80) - 1))
            lines = lines[: max(1, min(MOST_LINES, size.lines - 2))]
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
        os.write(self.terminal, text.encode(errors="replace"))


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
            for text in [*state.lines(), f"claims: {state.plan(time.time())}"]:
                self.reporter.write_line(text)
            self.reporter.flush()


def rendered(state: State, width: int) -> list[str]:
    """A state's table as lines for a terminal of so many columns."""
    from rich.console import Console

    console = Console(width=width, force_terminal=True, legacy_windows=False)
    with console.capture() as captured:
        console.print(state.table(time.time()))
    return captured.get().rstrip("\n").split("\n")


class Live:
    """What a process of a session tells of its training: to the journal, trackers and a display.

    Attributes:
        claim: the id of the claim that waits for it.
    """

    claim = ""

    def __init__(
        self, journal: Journal, display: Display, trackers: "Sequence[Tracker]" = ()
    ) -> None:
        self.journal, self.display, self.trackers = journal, display, trackers
        self.state, self._follower = State(), Follower(journal.path)

    def tell(self, progress: Progress) -> None:
        """A run goes on, or is over."""
        self.journal.progress(self.claim, progress)
        for tracker in self.trackers:
            tracker.take(self.claim, progress)
        if not progress.done and self.display.due():
            self.look()

    def look(self) -> None:
        """Show what the journal tells of all processes."""
        self._follower.into(self.state)
        self.display.show(self.state)

    def close(self) -> None:
        """Nothing trains any more."""
        self.display.clear()
        for tracker in self.trackers:
            tracker.close()
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
        if self.live is not None:
            self.live.claim = self.claim
        try:
            return self.engine().records(runs)
        finally:
            if self.live is not None:
                self.live.display.clear()
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
        return Drawn(os.dup(sys.stdout.fileno()))
    return Printed(config, reporter)
