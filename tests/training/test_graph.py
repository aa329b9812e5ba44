"""What captures share, and what is freed around them."""

import gc
import weakref

import pytest
import torch

from cvclaims.training import graph
from cvclaims.training.graph import Graphs, collected


class Circle:
    """Holds itself, as a session does."""

    def __init__(self) -> None:
        self.itself = self


def test_circles_are_freed_before_a_capture_and_not_during_it() -> None:
    before = weakref.ref(Circle())
    with collected():
        assert before() is None
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with collected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_graphs_of_a_device_share_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "Stream", made.append)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: None)
    graph._stream.cache_clear()
    devices = [torch.device(f"cuda:{number}") for number in (0, 1, 0)]
    for device in devices:
        Graphs(device)
    graph._stream.cache_clear()
    assert made == devices[:2]
