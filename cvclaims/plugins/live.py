"""The live line: what trains now, while a session waits for it.

On a terminal it stands below pytest's own output and is rewritten in place; elsewhere a plain
line comes out now and then. Under xdist the workers leave it as a note, and the process that
owns the terminal shows it. It is decoration: whatever goes wrong with it is passed over.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.plugins.notes import Notes
from cvclaims.text import cells, clean, fit

if TYPE_CHECKING:
    from cvclaims.engines import Engine
    from cvclaims.plan import Run
    from cvclaims.records import Record
    from cvclaims.training.timing import Times

PLAIN_SECONDS = 30.0
LOOK_SECONDS = 1.0
IDLE_SECONDS = 0.5  # pytest writes a result in several pieces: none may come in between
# Move down (scrolling where it has to) and up again, so that there is a line below; go there,
# clear it, write, and come back to where pytest left the cursor.
DRAW = "\x1bD\x1b[A\x1b7\x1b[B\r\x1b[2K{}\x1b8"
# What pytest writes goes to the end of its output: all that lies behind is the live line.
ERASE = "\x1b[J"


class Line:
    """One line about what trains; `claim` is the id of the claim that waits for it."""

    every = 0.0
    claim = ""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def tell(self, text: str) -> None:
        """Show what this process trains, unless the line was changed just now."""
        if self.due():
            self.show([clean(f"claim {self.claim}: {text}")])

    def due(self) -> bool:
        """Whether the line may change again; if so, that moment counts as its last change."""
        now = time.monotonic()
        if now - self._last < self.every:
            return False
        self._last = now
        return True

    def show(self, texts: Sequence[str]) -> None:
        """Show a text for each process that trains."""

    def clear(self) -> None:
        """Nothing trains any more."""


class Noted(Line):
    """A worker's line, left where the process that reports finds it."""

    every = 0.5

    def __init__(self, notes: Notes, worker: str) -> None:
        super().__init__()
        self.notes, self.name = notes, f"live-{worker}"

    def show(self, texts: Sequence[str]) -> None:
        """Leave a note."""
        self.notes.leave(self.name, " ".join(texts))

    def clear(self) -> None:
        """Take the note away."""
        self.notes.withdraw(self.name)


class Drawn(Line):
    """A line below pytest's output on a terminal.

    It writes to the terminal itself: in a test, pytest captures the standard output.
    """

    every = 0.25

    def __init__(self, terminal: int) -> None:
        super().__init__()
        self.terminal = terminal
        self._drawn = False

    def show(self, texts: Sequence[str]) -> None:
        """Draw one of the texts, each in its turn."""
        if not texts:
            return self.clear()
        text = texts[int(time.monotonic() / 2) % len(texts)]
        with contextlib.suppress(OSError):
            width = os.get_terminal_size(self.terminal).columns or 80
            self._write(DRAW.format(fitted(text, width - 1)))
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


class Printed(Line):
    """Plain lines between pytest's own, for logs."""

    every = PLAIN_SECONDS

    def __init__(self, config: pytest.Config, reporter: pytest.TerminalReporter) -> None:
        super().__init__()
        self.reporter, self.writer = reporter, config.get_terminal_writer()
        self.capture = config.pluginmanager.getplugin("capturemanager")

    def show(self, texts: Sequence[str]) -> None:
        """Print every text, each on its line."""
        free = self.capture.global_and_fixture_disabled() if self.capture else None
        with free or contextlib.nullcontext():
            self.reporter.ensure_newline()
            if self.writer.width_of_current_line:  # workers' dots, which it does not know of
                self.reporter.line("")
            for text in texts:
                self.reporter.write_line(text)
            self.reporter.flush()


class Told:
    """The session's engine, made when a verdict first asks for runs, and told to a line."""

    def __init__(
        self,
        engine: "Callable[[], Engine]",
        line: Line | None,
        claim: str,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        self.engine, self.line, self.claim, self.done = engine, line or Line(), claim, done

    def records(self, runs: "Sequence[Run]") -> "list[Record]":
        """The records of the engine; the line is gone when they are here."""
        self.line.claim = self.claim
        try:
            return self.engine().records(runs)
        finally:
            self.line.clear()
            self.done()

    def times(self, *asked: Any) -> "Times":
        """The engine's times."""
        return self.engine().times(*asked)


class Watch(threading.Thread):
    """Shows, in the process that reports, what its workers note."""

    def __init__(self, line: Line, notes: Notes, writer: Any) -> None:
        super().__init__(name="cvclaims-live", daemon=True)
        self.line, self.notes, self.writer = line, notes, writer
        self._done = threading.Event()
        self._lock = threading.RLock()
        self._wrote = time.monotonic()
        self._write = writer.write
        # Everything that pytest and its plugins print comes through here, in whichever hook.
        writer.write = self._guarded

    def _guarded(self, *args: Any, **markup: Any) -> None:
        with self._lock:
            self._wrote = time.monotonic()
            self.line.clear()
            self._write(*args, **markup)

    def run(self) -> None:
        """Look now and then."""
        with contextlib.suppress(Exception):
            while not self._done.wait(LOOK_SECONDS):
                with self._lock:
                    if time.monotonic() - self._wrote > IDLE_SECONDS and self.line.due():
                        self.line.show(self.notes.read("live-*"))

    def stop(self) -> None:
        """Leave the terminal to pytest alone."""
        self._done.set()
        self.join(timeout=5)
        self.line.clear()
        self.writer.write = self._write


def fitted(text: str, width: int) -> str:
    """A text in one line: what changes stands at its end, so it gives way before that."""
    if cells(text) <= width:
        return text
    head, _, tail = text.rpartition(": ")
    return fit(f"{fit(head, width - cells(tail) - 2)}… {tail}", width)


def line_for(config: pytest.Config) -> Line | None:
    """The line of the process that owns the terminal; None with -q or without a terminal plugin.

    To be called while pytest captures nothing.
    """
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if not isinstance(reporter, pytest.TerminalReporter) or config.option.verbose < 0:
        return None
    # With -s or --capture=tee-sys tests write to the terminal, and could write into the line.
    in_place = sys.stdout.isatty() and config.getoption("capture") in ("fd", "sys")
    if in_place and sys.platform != "win32" and os.environ.get("TERM", "dumb") != "dumb":
        return Drawn(os.dup(sys.stdout.fileno()))
    return Printed(config, reporter)
