"""Figures drawn by several processes are the same as by one, and what fails is told."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cvclaims.results.figures import drawers, drawing
from cvclaims.results.figures.drawers import draw_all, draw_group
from cvclaims.results.figures.groups import Subject
from tests.results.synthetic import CE, MSE, record


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawers, "_processors", lambda: 2)
    monkeypatch.setattr(drawers, "LEAST_EACH", 1)


def job(title: str) -> Subject:
    return Subject({"ce": [record(CE, 0)], "mse": [record(MSE, 0)]}, title)


def test_few_figures_are_drawn_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawers, "_processors", lambda: 64)
    monkeypatch.setattr(drawers, "draw_group", lambda job: ({}, f"{os.getpid()} {job.title}"))
    jobs = [job(str(i)) for i in range(2 * drawers.LEAST_EACH - 1)]
    assert [error for _, error in draw_all(jobs)] == [f"{os.getpid()} {one.title}" for one in jobs]


@pytest.mark.usefixtures("two_processes")
def test_other_processes_draw_the_same_in_the_same_order() -> None:
    jobs = [job("first"), job("second")]
    drawn = draw_all(jobs)
    assert drawn == [draw_group(one) for one in jobs]
    assert drawn[0] != drawn[1]
    assert all(error is None and "curves" in pngs for pngs, error in drawn)


class Deadly:
    """Ends the process that it is sent to."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[int]]:
        return os._exit, (1,)


@pytest.mark.usefixtures("two_processes")
def test_a_process_that_dies_costs_what_it_had_not_drawn() -> None:
    odd: Any = {"ce": [Deadly()]}
    deadly = Subject(odd, "deadly")
    first, second, third, last = draw_all([job("first"), job("second"), deadly, job("last")])
    assert [first, second, last] == [
        draw_group(job(title)) for title in ("first", "second", "last")
    ]
    assert third == ({}, "the process that should draw it ended: status 1")


@pytest.mark.usefixtures("two_processes")
def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawers, "_STARTING_SECONDS", 0.0)
    monkeypatch.setattr(drawers, "_DRAWING_SECONDS", 0.0)
    told = {error for _, error in draw_all([job("first"), job("second")])}
    assert told == {"the process that should draw it ended: it took too long"}


def test_a_script_without_a_guard_is_carried_out_once(tmp_path: Path) -> None:
    """multiprocessing imports the main script anew in each process that it starts."""
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from cvclaims.results.figures import drawers\n"
        "from tests.results.test_drawers import job\n"
        "drawers._processors, drawers.LEAST_EACH = lambda: 2, 1\n"
        "print([error for _, error in drawers.draw_all([job('a'), job('b')])])\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[None, None]\n", "")


def test_what_was_drawn_before_one_failed_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(kind: str, *_: object) -> bytes:
        if kind == "dots":
            return b"dots"
        raise ValueError("no ink")

    monkeypatch.setattr(drawing, "draw", draw)
    assert draw_group(job("t")) == ({"dots": b"dots"}, "ValueError: no ink")
