"""Figures drawn by several processes are the same as by one, and what fails is told."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from cvclaims.report import drawers, drawing
from cvclaims.report.drawers import Job, draw_all, draw_group
from tests.report.synthetic import CE, MSE, record


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawers, "_processors", lambda: 2)
    monkeypatch.setattr(drawers, "LEAST_EACH", 1)


def job(title: str) -> Job:
    return {"ce": [record(CE, 0)], "mse": [record(MSE, 0)]}, title


def test_few_figures_are_drawn_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawers, "_processors", lambda: 64)
    monkeypatch.setattr(drawers, "draw_group", lambda job: ({}, f"{os.getpid()} {job[1]}"))
    jobs = [job(str(i)) for i in range(2 * drawers.LEAST_EACH - 1)]
    assert [error for _, error in draw_all(jobs)] == [f"{os.getpid()} {title}" for _, title in jobs]


@pytest.mark.usefixtures("two_processes")
def test_other_processes_draw_the_same_in_the_same_order() -> None:
    jobs = [job("first"), job("second")]
    drawn = list(draw_all(jobs))
    assert drawn == [draw_group(one) for one in jobs]
    assert drawn[0] != drawn[1]
    assert all(error is None and "curves" in pngs for pngs, error in drawn)


class Deadly:
    """Ends the process that it is sent to."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[int]]:
        return os._exit, (1,)


@pytest.mark.usefixtures("two_processes")
def test_a_process_that_dies_is_told() -> None:
    deadly = {"ce": [Deadly()]}, "deadly"
    for pngs, error in draw_all([deadly, deadly]):  # type: ignore[list-item]
        assert pngs == {}
        assert str(error).startswith("the process that should draw it ended: ")


def test_what_was_drawn_before_one_failed_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(kind: str, *_: object) -> bytes:
        if kind == "curves":
            return b"curves"
        raise ValueError("no ink")

    monkeypatch.setattr(drawing, "draw", draw)
    assert draw_group(job("t")) == ({"curves": b"curves"}, "ValueError: no ink")
