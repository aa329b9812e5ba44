"""What every test of this report is given: its cells of the grid, once for each stopping."""

from typing import TYPE_CHECKING

import pytest

from claims.vgg_batch_size.protocol import STOPPINGS

if TYPE_CHECKING:
    from claims.vgg_batch_size.grid import Grid
    from cvclaims import Judge, Runs


@pytest.fixture(params=STOPPINGS)
def stopping(request: pytest.FixtureRequest) -> str:
    """What early stopping looks at: a key of `STOPPINGS`."""
    return str(request.param)


@pytest.fixture
def grid(runs: "Runs", verdict: "Judge", stopping: str) -> "Grid":
    """The claim's part of the grid; its recipes have the stopping."""
    from claims.vgg_batch_size.grid import Grid

    return Grid(runs, verdict)
