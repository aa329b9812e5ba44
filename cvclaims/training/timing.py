"""Timing two recipes side by side: the same steps that training takes, in alternating rounds.

Whatever else slows the machine slows both of a round, so the ratio within a round is steadier
than either time, and the median over rounds is steadier than the ratio of one.
"""

import math
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import torch

from cvclaims.data.dataset import Dataset
from cvclaims.models import build
from cvclaims.recipe import Recipe
from cvclaims.seeds import stream
from cvclaims.training.hooks import Hooks
from cvclaims.training.pinned import pinned
from cvclaims.training.session import Session

ROUNDS = 7
# A round lasts at least this long for the slower of the two: far above what a clock reading and
# a wait for the device cost.
ROUND_SECONDS = 0.05
# The first steps allocate memory, and libraries choose their algorithms.
WARM_STEPS = 3
# Several images, so that what is kept once for a whole batch hardly counts.
COUNTED_IMAGES = 8

Steps = Callable[[int], None]
Seconds = Callable[[], float]
# Makes what is called, on a device.
Make = Callable[[torch.device], Callable[[], None]]


@dataclass(frozen=True)
class Rounds:
    """The seconds of each round of `steps` steps, of the first and of the second."""

    steps: int
    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median over rounds of the first's time over the second's."""
        return statistics.median(a / b for a, b in zip(self.first, self.second, strict=True))


@dataclass(frozen=True)
class Cost:
    """What one recipe costs.

    Attributes:
        epoch_seconds: the median step's time, times the steps of an epoch: without the test that
            ends it, and without drawing its order of samples.
        flops: floating-point operations of one image's forward pass; see `Hooks.flops`.
        kept_bytes: what one image's forward pass keeps for the backward pass, in fp32.
        peak_bytes: the most memory that training took on the device; None where that is not
            known, as on a CPU.
    """

    epoch_seconds: float
    flops: int
    kept_bytes: int
    peak_bytes: int | None


@dataclass(frozen=True)
class Comparison:
    """The time of an epoch of the first recipe over that of the second, and what each costs."""

    ratio: float
    costs: tuple[Cost, Cost]


@dataclass(frozen=True)
class Times:
    """What timing two side by side gave for one seed.

    Attributes:
        ratio: the time of the first over that of the second.
        beside: of each, what is told with it, by what it is: "s per epoch" and so on.
        device: where it was, as tables name it.
        data: the sources of the data, in words.
        stand_in: whether one of these was generated.
    """

    ratio: float
    beside: tuple[dict[str, float], dict[str, float]]
    device: str
    data: str = ""
    stand_in: bool = False


def side_by_side(
    first: tuple[Recipe, Dataset],
    second: tuple[Recipe, Dataset],
    seed: int,
    device: torch.device,
    rounds: int = ROUNDS,
) -> Comparison:
    """Time the training of two recipes, each with its data, on a device that nobody else uses.

    Both networks are in memory at once. The ratio is of whole epochs, so that it compares recipes
    with batches of different sizes as well; for equal ones it is that of their steps.
    """
    sessions, peaks = [], []
    with ExitStack() as running:
        for recipe, data in (first, second):
            before = _memory(device)
            session = Session([(recipe, seed)], data, device)
            running.enter_context(session.running())
            session.train_steps(WARM_STEPS)
            wait_for(device)
            sessions.append(session)
            peaks.append(None if before is None else _peak(device) - before)
        done = alternate(
            sessions[0].train_steps, sessions[1].train_steps, lambda: wait_for(device), rounds
        )
        epochs = [len(session.batches.starts()) for session in sessions]
    costs = [
        Cost(statistics.median(times) / done.steps * steps, *counted(recipe), peak)
        for times, steps, (recipe, _), peak in zip(
            (done.first, done.second), epochs, (first, second), peaks, strict=True
        )
    ]
    return Comparison(done.ratio * epochs[0] / epochs[1], (costs[0], costs[1]))


def calls_side_by_side(
    first: Make,
    second: Make,
    seed: int,
    device: torch.device,
    rounds: int = ROUNDS,
) -> tuple[float, tuple[float, float]]:
    """Time two functions on a device that nobody else uses: the ratio, and each one's seconds.

    Each is made from torch's random numbers of the seed, with the state pinned that training has.
    """

    def repeated(make: Make) -> Steps:
        torch.manual_seed(stream(seed, "calls"))
        call = make(device)

        def work(steps: int) -> None:
            for _ in range(steps):
                call()

        work(WARM_STEPS)
        return work

    with pinned(device):
        done = alternate(repeated(first), repeated(second), lambda: wait_for(device), rounds)
    seconds = [statistics.median(times) / done.steps for times in (done.first, done.second)]
    return done.ratio, (seconds[0], seconds[1])


def alternate(
    first: Steps,
    second: Steps,
    wait: Callable[[], None],
    rounds: int = ROUNDS,
    clock: Seconds = time.perf_counter,
) -> Rounds:
    """Time both in turn: first, second, second, first, and so on.

    So neither is always the one that runs on a warmer device. `wait` returns when the device has
    done all that it was given.
    """
    both = first, second
    steps = _enough_steps(both, wait, clock)
    times: tuple[list[float], list[float]] = [], []
    for number in range(rounds):
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            times[which].append(seconds_of(both[which], steps, wait, clock))
    return Rounds(steps, tuple(times[0]), tuple(times[1]))


def counted(recipe: Recipe) -> tuple[int, int]:
    """FLOPs of one image's forward pass, and bytes that it keeps; on no device, so in no time."""
    shape = recipe.dataset.shape
    if recipe.network.flat:
        shape = (math.prod(shape),)
    with pinned(torch.device("cpu")):
        with torch.device("meta"):
            facts, outputs = recipe.dataset.facts, recipe.outputs
            network = build(recipe.network, facts.shape, outputs, **recipe.model_args)
            images = torch.empty(COUNTED_IMAGES, *shape)
        hooks = Hooks()
        totals = hooks.flops(network, images), hooks.saved_bytes(network, images)
    return totals[0] // COUNTED_IMAGES, totals[1] // COUNTED_IMAGES


def _enough_steps(both: tuple[Steps, Steps], wait: Callable[[], None], clock: Seconds) -> int:
    """Steps that take the slower of the two at least `ROUND_SECONDS`, by doubling.

    The faster of two trials counts: a single one may have been interrupted.
    """

    def trial(work: Steps) -> float:
        return min(seconds_of(work, steps, wait, clock) for _ in range(2))

    steps = 1
    while max(map(trial, both)) < ROUND_SECONDS:
        steps *= 2
    return steps


def seconds_of(
    work: Steps, steps: int, wait: Callable[[], None], clock: Seconds = time.perf_counter
) -> float:
    """How long the work takes, until the device has done it."""
    wait()
    start = clock()
    work(steps)
    wait()
    return clock() - start


def wait_for(device: torch.device) -> None:
    """Return when the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _memory(device: torch.device) -> int | None:
    """Bytes in use on the device, from where its peak is counted anew."""
    if device.type != "cuda":
        return None
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def _peak(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device)
