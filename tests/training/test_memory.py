"""Running out of memory, with a device that pretends to."""

from collections.abc import Sequence

import pytest
import torch

from cvclaims.data.dataset import Dataset
from cvclaims.data.load import load
from cvclaims.recipe import Recipe
from cvclaims.training import loop, memory
from cvclaims.training.memory import TooLargeError
from cvclaims.training.session import Session

RECIPE = Recipe(data="moons", model_args={"hidden": (4,)}, lr=0.1, epochs=1, batch_size=96)


@pytest.fixture(autouse=True)
def small_memory(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A device that holds so many samples at once; change the number to change the device."""
    holds = [30]

    class Small(Session):
        def __init__(
            self,
            runs: Sequence[tuple[Recipe, int]],
            data: Dataset,
            device: torch.device,
            *,
            capture: bool = True,
        ) -> None:
            super().__init__(runs, data, device, capture=capture)
            if len(runs) * self.batches.size > holds[0]:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(loop, "Session", Small)
    monkeypatch.setattr(memory, "Session", Small)
    return holds


def refused(runs: Sequence[tuple[Recipe, int]]) -> str:
    with pytest.raises(TooLargeError) as caught:
        loop.train(runs, load("moons", None), torch.device("cpu"))
    return str(caught.value)


def test_it_says_which_batch_would_fit() -> None:
    assert refused([(RECIPE, 0)]) == (
        "batch_size 96 of mlp is too much for the memory of cpu; 24 would fit"
    )


def test_it_says_how_many_networks_would_fit() -> None:
    few = RECIPE.but(batch_size=8)
    assert refused([(few, seed) for seed in range(10)]) == (
        "a stack of 10 mlp networks is too much for the memory of cpu; 2 would fit"
    )


def test_it_says_that_nothing_would(small_memory: list[int]) -> None:
    small_memory[0] = 0
    assert refused([(RECIPE, 0)]).endswith("not even 1 would fit")


def test_what_fits_is_trained(small_memory: list[int]) -> None:
    small_memory[0] = 96
    (result,) = loop.train([(RECIPE, 0)], load("moons", None), torch.device("cpu"))
    assert result.status == "finished"


def test_beside_others_it_does_not_yet_count_as_too_large() -> None:
    data = load("moons", None)
    with pytest.raises(torch.OutOfMemoryError, match="with what others have there"):
        loop.train([(RECIPE, 0)], data, torch.device("cpu"), alone=False)


def hidden() -> RuntimeError:
    """What a capture ends with that ran out of memory."""
    try:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory")
        finally:
            raise RuntimeError("CUDA error: operation failed due to a previous error")
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (hidden(), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 17 GB)"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (None, False),
    ],
)
def test_how_running_out_of_memory_shows(error: RuntimeError | None, found: bool) -> None:
    assert memory.ran_out_of_memory(error) == found
