"""What other processes do in the tests of engines: train, race for runs, die at it."""

import hashlib
import os
import signal
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from cvclaims import files
from cvclaims.data.dataset import Dataset
from cvclaims.engines import work
from cvclaims.engines.inline import Inline
from cvclaims.plan import Run
from cvclaims.recipe import Recipe
from cvclaims.records import Store
from cvclaims.training import checkpoint
from cvclaims.training.loop import Trained, train

CPU = torch.device("cpu")
TINY = Recipe(
    data="digits",
    train_size=40,
    test_size=20,
    batch_size=20,
    model_args={"hidden": (4,)},
    lr=0.1,
    epochs=2,
)


def runs(*seeds: int, recipe: Recipe = TINY, scale: str = "full") -> list[Run]:
    return [Run(recipe, seed, scale) for seed in seeds]


def write(log: Path, *lines: str) -> None:
    """Append lines in one piece, whoever else does."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(handle, "".join(f"{line}\n" for line in lines).encode())
    finally:
        os.close(handle)


def train_and_tell(log: Path) -> Any:
    """Training that notes each run before it begins, and takes its time."""

    def told(
        pairs: Sequence[tuple[Recipe, int]],
        data: Dataset,
        device: torch.device,
        *more: Any,
        **by_name: Any,
    ) -> list[Trained]:
        write(log, *(f"{recipe.digest} {seed}" for recipe, seed in pairs))
        time.sleep(0.05)  # long enough for the others to come by
        return train(pairs, data, device, *more, **by_name)

    return told


def race(root: Path, log: Path, start: Barrier, requests: Sequence[Sequence[Run]]) -> None:
    """Ask for runs, one request after another, beside others that do the same."""
    torch.set_num_threads(1)
    plan = list(dict.fromkeys(run for request in requests for run in request))
    engine = Inline(Store(root), CPU, None, plan=plan, share=4)
    got = []
    with mock.patch.object(work, "train", train_and_tell(log)):
        start.wait(60)
        for request in requests:
            for run, record in zip(request, engine.records(request), strict=True):
                text = hashlib.sha256(record.to_json().encode()).hexdigest()
                got.append(f"{run.recipe.digest} {run.seed} {record.key} {text}")
    write(log.with_name(f"got-{os.getpid()}"), *got)


def hang(root: Path, log: Path) -> None:
    """Begin to train the first run, and never end."""

    def hanging(*_: object, **__: object) -> list[Trained]:
        write(log, "started")
        time.sleep(600)
        return []

    with mock.patch.object(work, "train", hanging):
        Inline(Store(root), CPU, None).records(runs(0))


def train_until_killed(root: Path, recipes: Sequence[Recipe], saves: int) -> None:
    """Train these recipes, saving at every step, and die by a signal after so many saves."""
    torch.set_num_threads(1)
    checkpoint.EVERY_SECONDS = 0.0
    plain, left = files.write_atomically, [saves]

    def write(path: Path, content: bytes) -> None:
        plain(path, content)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with mock.patch.object(checkpoint, "write_atomically", write):
        Inline(Store(root), CPU, None).records([Run(r, 0, "smoke") for r in recipes])
