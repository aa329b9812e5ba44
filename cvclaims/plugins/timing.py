"""What the `timer` fixture gives: times of a claim's recipes, taken by the session's engine."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.plugins.cases import Case
from cvclaims.plugins.suite import Suite
from cvclaims.recipe import Recipe

if TYPE_CHECKING:
    import torch

    # What a name stands for on a device: a function to be called.
    Make = Callable[[str, torch.device], Callable[[], None]]

    from cvclaims.verdict.samples import Arm, Timed


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
        pair = self._recipe(a), self._recipe(b)
        return self._timed((a.name, b.name), lambda: pair)

    def calls(self, a: str, b: str, make: "Make") -> "Timed":
        """A call's time of A over that of B, a number for each seed.

        `make(name, device)` gives what is called. It is made anew for each seed, from torch's
        random numbers of that seed.
        """
        return self._timed((a, b), lambda: (partial(make, a), partial(make, b)))

    def _recipe(self, arm: "Arm") -> Recipe:
        if not isinstance(arm.trained, Recipe):
            raise TypeError(f"only a Recipe's epochs can be timed; {arm.name!r} is none")
        return arm.trained

    def _timed(self, names: tuple[str, str], pair: Callable[[], tuple[Any, Any]]) -> "Timed":
        from cvclaims.verdict.samples import Timed, Timing

        def take(seed: int) -> Timing:
            times = self.suite.engine_for(self.case).times(*pair(), seed, self.case.scale)
            beside = {
                f"{name}, {what}": number
                for name, told in zip(names, times.beside, strict=True)
                for what, number in told.items()
            }
            return Timing(times.ratio, beside, times.device, times.data, times.stand_in)

        return Timed(f"time of {names[0]} / {names[1]}", take, names)


def timer_for(request: pytest.FixtureRequest, suite: Suite) -> Timer:
    """The timer of a test's claim; fails a test that is no claim, or is not marked `timing`."""
    case = suite.cases.get(request.node.nodeid)
    if case is None:
        pytest.fail("`timer` needs a claim: mark the test with @claim(...)", pytrace=False)
    if request.node.get_closest_marker("timing") is None:
        pytest.fail("`timer` needs the device alone: add @pytest.mark.timing", pytrace=False)
    return Timer(case, suite)
