"""Many figures at once: as many processes draw as there are processors for.

Most of a figure's time is matplotlib's layout, in Python, so threads would not help.
"""

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import IO, Any, TypeAlias

from cvclaims.results.figures.groups import Subject

# A group's figures by kind, as SVG, and why the rest of them could not be drawn.
Figures: TypeAlias = tuple[dict[str, bytes], str | None]

# A process takes about as long to start as two figures take to draw.
LEAST_EACH = 4
# Far more than a process needs to start, and to draw one group's figures.
_STARTING_SECONDS, _DRAWING_SECONDS = 120.0, 60.0


def draw_all(jobs: Sequence[Subject]) -> list[Figures]:
    """The figures of each job, in order; one that fails costs no other."""
    processes = min(_processors(), len(jobs) // LEAST_EACH)
    if processes < 2 or not sys.executable:
        return [draw_group(job) for job in jobs]
    figures: list[Figures] = [({}, "")] * len(jobs)
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(_Drawer(jobs[number::processes])) for number in range(processes)
        ]
        for number, drawer in enumerate(started):
            figures[number::processes] = drawer.figures()
    return figures


class _Drawer:
    """A process that draws; jobs and figures travel through files that have no name.

    Started by a command of its own: multiprocessing would carry out the caller's script anew in
    each process where that is not guarded, and a fork would copy locks that other threads hold.
    """

    def __init__(self, jobs: Sequence[Subject]) -> None:
        self.jobs = jobs

    def __enter__(self) -> "_Drawer":
        code = f"import sys; sys.path[:] = {sys.path!a}; from {__name__} import serve; serve()"
        with tempfile.TemporaryFile() as source:
            for job in self.jobs:
                pickle.dump(job, source)
            source.seek(0)
            self._drawn: IO[bytes] = tempfile.TemporaryFile()
            self._told: IO[bytes] = tempfile.TemporaryFile()
            self._process = subprocess.Popen(
                [sys.executable, "-c", code], stdin=source, stdout=self._drawn, stderr=self._told
            )
        return self

    def figures(self) -> list[Figures]:
        """The figures of each of its jobs; why there are no more where it ended early."""
        ended = ""
        try:
            self._process.wait(_STARTING_SECONDS + _DRAWING_SECONDS * len(self.jobs))
        except subprocess.TimeoutExpired:
            ended = "it took too long"
        self._drawn.seek(0)
        figures: list[Figures] = list(_pickled(self._drawn))
        if len(figures) < len(self.jobs):
            self._told.seek(0)
            lines = self._told.read().decode(errors="replace").split("\n")
            ended = ended or " ".join([f"status {self._process.returncode}", *lines[-2:]]).strip()
        lost = len(self.jobs) - len(figures)
        return figures + [({}, f"the process that should draw it ended: {ended}")] * lost

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._drawn.close()
        self._told.close()


def serve() -> None:
    """Draw the jobs that come in, and write each one's figures as soon as they are there."""
    # Whatever a library prints must not stand among the figures.
    figures = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for job in _pickled(sys.stdin.buffer):
        pickle.dump(draw_group(job), figures)
        figures.flush()


def _pickled(file: IO[bytes]) -> Iterator[Any]:
    """What was pickled into a file one after the other, until it ends or breaks off."""
    with contextlib.suppress(EOFError, pickle.UnpicklingError):
        while True:
            yield pickle.load(file)


def draw_group(job: Subject) -> Figures:
    """Every kind of figure that the records hold something for."""
    figures: dict[str, bytes] = {}
    try:
        drawing = own_drawing()
        for kind in drawing.KINDS:
            figure = drawing.draw(kind, job)
            if figure is not None:
                figures[kind] = figure
    except Exception as error:
        return figures, f"{type(error).__name__}: {error}"
    return figures, None


def own_drawing() -> ModuleType:
    """The module that draws, and matplotlib with it: imported once there is something to draw.

    A notebook names a backend for its own plots, which may not be there for this matplotlib: then
    it refuses to be imported. Ours draws by none, and leaves the caller's choice to the caller.
    """
    is_first = "matplotlib" not in sys.modules
    chosen = os.environ.pop("MPLBACKEND", None)
    try:
        from cvclaims.results.figures import drawing
    finally:
        if chosen is not None:
            os.environ["MPLBACKEND"] = chosen
    if is_first and chosen is not None:
        with contextlib.suppress(ValueError):
            sys.modules["matplotlib"].rcParams["backend"] = chosen
    return drawing


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
