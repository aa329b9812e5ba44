"""Many figures at once: as many processes draw as there are processors for.

Most of a figure's time is matplotlib's layout, in Python, so threads would not help.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeAlias

from cvclaims.report.groups import Runs

# What a group's figures are drawn from: its records by name, and the title.
Job: TypeAlias = tuple[Runs, str]
# A group's figures by kind, as PNG, and why the rest of them could not be drawn.
Pngs: TypeAlias = tuple[dict[str, bytes], str | None]

# A process takes about as long to start as two figures take to draw.
LEAST_EACH = 4


def draw_all(jobs: Sequence[Job]) -> Iterator[Pngs]:
    """The figures of each job, in order; one that fails costs no other."""
    processes = min(_processors(), len(jobs) // LEAST_EACH)
    if processes < 2:
        yield from map(draw_group, jobs)
        return
    # Not by fork: this process may have threads, whose locks a copy would find taken for ever.
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for future in [pool.submit(draw_group, job) for job in jobs]:
            try:
                yield future.result()
            except BrokenExecutor as error:
                yield {}, f"the process that should draw it ended: {error}"


def draw_group(job: Job) -> Pngs:
    """Every kind of figure that the records hold something for."""
    # Not at the top: where others draw, this process has no use for matplotlib.
    from cvclaims.report import drawing
    from cvclaims.report.panels import KINDS

    runs, title = job
    pngs: dict[str, bytes] = {}
    try:
        for kind in KINDS:
            png = drawing.draw(kind, runs, title)
            if png is not None:
                pngs[kind] = png
    except Exception as error:
        return pngs, f"{type(error).__name__}: {error}"
    return pngs, None


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
