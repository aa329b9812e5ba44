"""What the `timer` fixture gives: times of a claim's recipes, taken with the device alone."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cvclaims.plugins.cases import Case
from cvclaims.plugins.suite import Suite
from cvclaims.recipe import Recipe

if TYPE_CHECKING:
    import torch

    # What a name stands for on a device: a function to be called.
    Make = Callable[[str, torch.device], Callable[[], None]]

    from cvclaims.data.dataset import Dataset
    from cvclaims.training.timing import Cost
    from cvclaims.verdict.samples import Arm, Timed, Timing


class Timer:
    """Times two of a claim's recipes, or two functions, side by side; see `training.timing`.

    verdict.times(timer.ratio(runs.kernel_7, runs.kernel_3), factor=1)
    verdict.times(timer.calls("LeakyReLU", "ReLU", make), factor=1)
    """

    def __init__(self, case: Case, suite: Suite) -> None:
        self.case, self.suite = case, suite

    def ratio(self, a: "Arm", b: "Arm") -> "Timed":
        """An epoch's time of A over that of B, a number for each seed.

        It is taken when the judge asks for it, on the recipes at the claim's scale.
        """
        from cvclaims.verdict.samples import Timed

        label = f"time of {a.name} / {b.name}"
        return Timed(label, lambda seed: self._take(a, b, seed), (a.name, b.name))

    def calls(self, a: str, b: str, make: "Make") -> "Timed":
        """A call's time of A over that of B, a number for each seed.

        `make(name, device)` gives what is called. It is made anew for each seed, from torch's
        random numbers of that seed.
        """
        from cvclaims.verdict.samples import Timed

        label = f"time of {a} / {b}"
        return Timed(label, lambda seed: self._take_calls(a, b, make, seed), (a, b))

    def _take_calls(self, a: str, b: str, make: "Make", seed: int) -> "Timing":
        self._refuse()
        from cvclaims.engines.device import exclusive, shared
        from cvclaims.engines.provenance import device_name
        from cvclaims.training.timing import ROUNDS, calls_side_by_side
        from cvclaims.verdict.samples import Timing

        device = self.suite.device
        smoke = self.case.scale == "smoke"
        rounds, use = (1, shared) if smoke else (ROUNDS, exclusive)
        with use(device):
            ratio, seconds = calls_side_by_side(
                partial(make, a), partial(make, b), seed, device, rounds
            )
        beside = {f"{name}, s per call": time for name, time in zip((a, b), seconds, strict=True)}
        return Timing(ratio, beside, device_name(device), "")

    def _take(self, a: "Arm", b: "Arm", seed: int) -> "Timing":
        self._refuse()
        from cvclaims.engines.device import exclusive, shared
        from cvclaims.engines.provenance import device_name
        from cvclaims.training.timing import ROUNDS, side_by_side
        from cvclaims.verdict.samples import Timing

        recipes = [self._recipe(arm) for arm in (a, b)]
        first, second = ((recipe, self._data(recipe)) for recipe in recipes)
        device = self.suite.device
        # Smoke judges no time, so it need not wait until nobody else trains here.
        smoke = self.case.scale == "smoke"
        rounds, use = (1, shared) if smoke else (ROUNDS, exclusive)
        with use(device):
            compared = side_by_side(first, second, seed, device, rounds)
        used = first[1], second[1]
        return Timing(
            ratio=compared.ratio,
            beside={
                name: number
                for arm, cost in zip((a, b), compared.costs, strict=True)
                for name, number in _shown(arm.name, cost)
            },
            device=device_name(device),
            data="; ".join(dict.fromkeys(data.source for data in used)),
            stand_in=any(data.stand_in for data in used),
        )

    def _recipe(self, arm: "Arm") -> Recipe:
        recipe = arm.trained.at(self.case.scale)
        if not isinstance(recipe, Recipe):
            raise TypeError(f"only a Recipe's epochs can be timed; {arm.name!r} is none")
        return recipe

    def _refuse(self) -> None:
        from cvclaims.engines import NotEvaluated

        if self.suite.settings.replay:
            raise NotEvaluated("times are taken anew in every session")
        if self.case.refusal is not None:
            raise NotEvaluated(self.case.refusal)

    def _data(self, recipe: Recipe) -> "Dataset":
        from cvclaims.data.load import DataMissing, load
        from cvclaims.engines import NotEvaluated

        smoke = self.case.scale == "smoke"
        try:
            return load(recipe.dataset, self.suite.settings.data, allow_stand_in=smoke)
        except DataMissing as why:
            raise NotEvaluated(str(why)) from None


def timer_for(request: pytest.FixtureRequest, suite: Suite) -> Timer:
    """The timer of a test's claim; fails a test that is no claim, or is not marked `timing`."""
    case = suite.cases.get(request.node.nodeid)
    if case is None:
        pytest.fail("`timer` needs a claim: mark the test with @claim(...)", pytrace=False)
    if request.node.get_closest_marker("timing") is None:
        pytest.fail("`timer` needs the device alone: add @pytest.mark.timing", pytrace=False)
    return Timer(case, suite)


def _shown(name: str, cost: "Cost") -> Iterator[tuple[str, float]]:
    yield f"{name}, s per epoch", cost.epoch_seconds
    yield f"{name}, FLOPs per image", cost.flops
    yield f"{name}, bytes kept per image", cost.kept_bytes
    if cost.peak_bytes is not None:
        yield f"{name}, peak bytes", cost.peak_bytes
