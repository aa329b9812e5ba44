"""Times of recipes and of functions: with the device alone, as no other work of an engine."""

from collections.abc import Callable
from typing import Any

import torch

from cvclaims.data.load import load
from cvclaims.engines.device import exclusive, shared
from cvclaims.engines.provenance import device_name
from cvclaims.engines.work import Work
from cvclaims.recipe import Recipe
from cvclaims.training.timing import ROUNDS, Cost, Times, calls_side_by_side, side_by_side

# Makes on a device what is to be called.
Make = Callable[[torch.device], Callable[[], None]]


def take(work: Work, first: Any, second: Any, seed: int, scale: str) -> Times:
    """Times of two recipes, or of two functions, for one seed.

    Raises DataMissing, DataError.
    """
    # Smoke judges no time, so it need not wait until nobody else trains here.
    smoke = scale == "smoke"
    rounds, use = (1, shared) if smoke else (ROUNDS, exclusive)
    if not isinstance(first, Recipe):
        with use(work.device):
            ratio, seconds = calls_side_by_side(first, second, seed, work.device, rounds)
        return Times(ratio, _each(seconds), device_name(work.device))
    pairs = [(r, load(r.dataset, work.data_folder, allow_stand_in=smoke)) for r in (first, second)]
    with use(work.device):
        compared = side_by_side(pairs[0], pairs[1], seed, work.device, rounds)
    return Times(
        compared.ratio,
        (_shown(compared.costs[0]), _shown(compared.costs[1])),
        device_name(work.device),
        "; ".join(dict.fromkeys(data.source for _, data in pairs)),
        any(data.stand_in for _, data in pairs),
    )


def _each(seconds: tuple[float, float]) -> tuple[dict[str, float], dict[str, float]]:
    return {"s per call": seconds[0]}, {"s per call": seconds[1]}


def _shown(cost: Cost) -> dict[str, float]:
    found = {
        "s per epoch": cost.epoch_seconds,
        "FLOPs per image": float(cost.flops),
        "bytes kept per image": float(cost.kept_bytes),
    }
    return found if cost.peak_bytes is None else {**found, "peak bytes": float(cost.peak_bytes)}
