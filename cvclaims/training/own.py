"""A training of an author's own, carried out: see `cvclaims.own.training`."""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from cvclaims.data.dataset import Dataset
from cvclaims.seeds import stream
from cvclaims.trainable import Training
from cvclaims.training.pinned import pinned

# Told, whenever a run logs, how often it has, and the newest of what it did.
Tell = Callable[[int, Mapping[str, float]], None]
# numpy and Python take seeds of 32 bits.
SEEDS = 2**32


class Diverged(Exception):  # noqa: N818
    """Ends a run that says that it diverged."""


class Running:
    """What a training of one's own is given.

    Attributes:
        seed: the run's; Python, numpy and torch draw from it already.
        settings: what the `Training` says, as attributes: `run.settings.lr`.
        device: the `torch.device` to train on.
        folder: a folder of this run's own, for checkpoints: it is there again when a run that was
            killed is taken up, and is removed once the record is written.
        scale: "full", "reduced" or "smoke".
        data: the data set that the `Training` names, as `data.dataset.Dataset`; else None.
    """

    def __init__(
        self,
        training: Training,
        seed: int,
        scale: str,
        device: torch.device,
        folder: Path,
        data: Dataset | None,
        tell: Tell,
    ) -> None:
        self.seed, self.scale, self.device, self.folder = seed, scale, device, folder
        self.settings = SimpleNamespace(**training.settings)
        self._data, self._name, self._tell = data, str(training.function), tell
        self._series: dict[str, list[float]] = {}

    @property
    def data(self) -> Dataset:
        """The data set that the `Training` names."""
        if self._data is None:
            raise ValueError(f"training {self._name} has no data: name a set, Training(..., data=)")
        return self._data

    def log(self, **values: Any) -> None:
        """Add a value to each series that is named; a number, or a tensor or array of one.

        Raises ValueError for what is no finite number.
        """
        for name, value in values.items():
            series = self._series.setdefault(name, [])
            series.append(finite(f"training {self._name} logs {name}", value, len(series) + 1))
        longest = max(map(len, self._series.values()))
        self._tell(longest, {name: self._series[name][-1] for name in values})

    def diverged(self) -> None:
        """End the run here: its loss is finite no more. What was logged stays."""
        raise Diverged


def finite(what: str, value: Any, time: int = 0) -> float:
    """A number that was logged or returned; ValueError in one line for what is none."""
    at = f", the {time}. time" if time else ""
    number = value
    with suppress(RuntimeError, ValueError):  # a tensor or an array of several has no one number
        number = value.item() if hasattr(value, "item") else value
    if isinstance(number, str) or not isinstance(number, int | float):
        shape = getattr(number, "shape", None)
        told = repr(number) if shape is None else f"{type(number).__name__} of {tuple(shape)}"
        raise ValueError(f"{what} as {told}{at}; it has to be a number")
    if not math.isfinite(number):
        raise ValueError(
            f"{what} as {number}{at}; a run that goes no further says so by run.diverged()"
        )
    return float(number)


def carry_out(
    training: Training,
    seed: int,
    scale: str,
    device: torch.device,
    folder: Path,
    data: Dataset | None,
    tell: Tell,
) -> tuple[str, dict[str, list[float]], dict[str, float]]:
    """Train once; returns what became of it, the series and the numbers.

    Raises whatever the function raises, and ValueError for what it gives that is no result.
    """
    function = training.function.function
    if function is None:
        raise ValueError(f"training {training.function.name!r} is of code that is not here")
    running = Running(training, seed, scale, device, folder, data, tell)
    status, returned = "finished", None
    with pinned(device), _drawn_from(seed):
        try:
            returned = function(running)
        except Diverged:
            status = "diverged"
    series, name = running._series, str(training.function)
    if returned is None:
        returned = {}
    if not isinstance(returned, Mapping) or not all(isinstance(key, str) for key in returned):
        raise ValueError(
            f"training {name} returns {returned!r}; it returns numbers by name, or nothing where "
            "it logs"
        )
    if not series and not returned and status == "finished":
        raise ValueError(
            f"training {name} returned nothing and logged nothing: return numbers by name, as in "
            "{'f1': 0.8}, or run.log(f1=0.8)"
        )
    if both := sorted(set(series) & set(returned)):
        raise ValueError(f"training {name} logs {both[0]} and returns it: one of the two")
    numbers = {
        key: finite(f"training {name} returns {key}", value) for key, value in returned.items()
    }
    return status, series, numbers


@contextmanager
def _drawn_from(seed: int) -> Iterator[None]:
    """Let Python, numpy and torch draw from the run's seed, and after it go on as before."""
    states = random.getstate(), np.random.get_state()
    own = stream(seed, "training")
    random.seed(own)
    np.random.seed(own % SEEDS)
    torch.manual_seed(own)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
