"""The plugin of fixtures that need torch: models, data, hooks, device, timer.

They live as long as the session, so that Hypothesis properties may ask for them; what they give
out is made anew on each call. Only `timer` belongs to one test, as it times one claim's recipes.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from cvclaims.plugins.suite import suite_of

if TYPE_CHECKING:
    import torch
    from torch import nn

    from cvclaims.data.dataset import Dataset
    from cvclaims.plugins.timing import Timer
    from cvclaims.training.hooks import Hooks


@pytest.fixture(scope="session")
def device(pytestconfig: pytest.Config) -> "torch.device":
    """The device that claims are trained on, from --claims-device."""
    return suite_of(pytestconfig).device


@pytest.fixture(scope="session")
def models(device: "torch.device") -> "Callable[..., nn.Module]":
    """Build a network on the device: `models("mlp", shape=(64,), classes=10, hidden=(256, 128))`.

    `seed` (default 0) decides its initialisation; see `cvclaims.models.build`.
    """
    from cvclaims.models import build

    def make(
        name: str, shape: tuple[int, ...], classes: int, seed: int = 0, **args: object
    ) -> "nn.Module":
        return build(name, shape, classes, seed, **args).to(device)

    return make


@pytest.fixture(scope="session")
def data(pytestconfig: pytest.Config, device: "torch.device") -> "Callable[[str], Dataset]":
    """Load a data set onto the device: `data("digits")`; skips where it is not here."""
    from cvclaims.data.load import DataMissing, load

    folder = suite_of(pytestconfig).settings.data

    def get(name: str) -> "Dataset":
        try:
            return load(name, folder).to(device)
        except DataMissing as why:
            pytest.skip(str(why))

    return get


@pytest.fixture(scope="session")
def hooks() -> "Hooks":
    """Look inside a network: `hooks.gradient_norms(model, batch)`, `hooks.activations(...)`."""
    from cvclaims.training.hooks import Hooks

    return Hooks()


@pytest.fixture
def timer(request: pytest.FixtureRequest) -> "Timer":
    """Times two of the claim's recipes side by side: `timer.ratio(runs.a, runs.b)`.

    For `verdict.times` and `verdict.times_within`, in a claim marked `timing`. It takes its times
    with the device alone, in every session anew.
    """
    from cvclaims.plugins.timing import timer_for

    return timer_for(request, suite_of(request.config))
