"""Training shares its device, so that whoever times something can have it alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from cvclaims.data.dataset import Dataset
from cvclaims.engines import work
from cvclaims.engines.inline import Inline
from cvclaims.plan import Run
from cvclaims.recipe import Recipe
from cvclaims.records import Store
from cvclaims.training.loop import Trained, train

TINY = Recipe(
    data="moons", train_size=20, model_args={"hidden": (2,)}, lr=0.1, epochs=1, batch_size=10
)


def test_training_holds_the_device_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[str] = []
    seen: list[list[str]] = []

    @contextmanager
    def shared(device: torch.device) -> Iterator[SimpleNamespace]:
        held.append(device.type)
        yield SimpleNamespace(give_way=lambda: 0.0)
        held.pop()

    def watched(
        runs: Sequence[tuple[Recipe, int]],
        data: Dataset,
        device: torch.device,
        *more: Any,
        **by_name: Any,
    ) -> list[Trained]:
        seen.append(list(held))
        return train(runs, data, device, *more, **by_name)

    monkeypatch.setattr(work, "shared", shared)
    monkeypatch.setattr(work, "train", watched)
    engine = Inline(Store(tmp_path), torch.device("cpu"), None)
    engine.records([Run(TINY, 0, "full")])
    assert seen == [["cpu"]]
    assert held == []
    engine.records([Run(TINY, 0, "full")])
    assert len(seen) == 1, "reading a record needs no device"
