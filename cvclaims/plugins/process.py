"""A process that runs claims: signals of schedulers end it in order, and its waits are heard."""

import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from types import FrameType

import pytest

from cvclaims import locks
from cvclaims.text import clean

# What schedulers, and terminals that are closed, send.
SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
KEPT = "the runs that finished are kept, and the same command goes on from there"
# Some send a signal to a process and then to its whole group: the second must not end the ending.
GRACE_SECONDS = 5.0
# EX_IOERR of sysexits.h.
DEVICE_LOST = 74


class Ended(KeyboardInterrupt):
    """A signal asks this process to end, as Ctrl-C does."""


class Process:
    """Signals and waits of one process of a session that has claims; to be made while pytest
    captures nothing.

    A handler of somebody else's stays, and so does a signal that is ignored, as under `nohup`.
    """

    def __init__(self) -> None:
        try:
            self._terminal = os.dup(2)
        except OSError:  # closed
            self._terminal = os.open(os.devnull, os.O_WRONLY)
        self._tell, locks.tell = locks.tell, self._say
        self._ended = -GRACE_SECONDS
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, self._end)

    def _say(self, text: str) -> None:
        """Say it past what captures a test's output, on a line of its own."""
        with suppress(OSError):
            os.write(self._terminal, f"\ncvclaims: {clean(text)}\n".encode())

    def _end(self, number: int, _: FrameType | None) -> None:
        if time.monotonic() - self._ended < GRACE_SECONDS:
            return
        self._ended = time.monotonic()
        raise Ended(f"{signal.Signals(number).name}: {KEPT}")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """End this process where its device is lost: xdist puts another in its worker's place."""
        report = yield
        if call.excinfo is not None:
            from cvclaims.engines import DeviceLost

            if isinstance(error := call.excinfo.value, DeviceLost):
                if hasattr(item.config, "workerinput"):
                    self._say(f"{error}; its worker ends, and another takes its place")
                    os._exit(DEVICE_LOST)
                raise Ended(f"{error}: {KEPT}")
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, error: object) -> None:
        """Where a worker alone was interrupted, xdist would wait for the others' tests."""
        if error == "keyboard-interrupt":
            raise Ended(f"a worker was interrupted: {KEPT}")

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Interrupted while tables are written, pytest would end with a traceback."""
        try:
            return (yield)
        except KeyboardInterrupt as error:
            session.exitstatus = pytest.ExitCode.INTERRUPTED
            print(f"\ninterrupted: {str(error) or 'Ctrl-C'}", file=sys.stderr)

    def pytest_unconfigure(self) -> None:
        """Leave the process as it was."""
        for number in SIGNALS:
            if signal.getsignal(number) == self._end:
                signal.signal(number, signal.SIG_DFL)
        locks.tell = self._tell
        os.close(self._terminal)


def attend(config: pytest.Config) -> None:
    """Begin with it, once for each session."""
    if not config.pluginmanager.has_plugin("cvclaims-process"):
        config.pluginmanager.register(Process(), "cvclaims-process")
