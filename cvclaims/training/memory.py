"""When the device's memory is too small: say so, and what would fit."""

import gc
from collections.abc import Callable, Sequence

import torch

from cvclaims.data.dataset import Dataset
from cvclaims.recipe import Recipe
from cvclaims.training.session import Session

Pairs = Sequence[tuple[Recipe, int]]
IN_WORDS = "MPS backend out of memory", "CUBLAS_STATUS_ALLOC_FAILED"
FULL = "the device's memory is full, with what others have there"


def peak_of(device: torch.device) -> Callable[[], int] | None:
    """Counts from now on what memory is in use at most, in bytes; None where it cannot."""
    if device.type != "cuda":
        return None
    torch.cuda.reset_peak_memory_stats(device)
    return lambda: torch.cuda.max_memory_allocated(device)


class TooLargeError(RuntimeError):
    """A run that the device's memory does not hold; the message is one line and says what fits."""


def ran_out_of_memory(error: BaseException | None) -> bool:
    """Whether memory ran out: the end of a capture that it broke raises another error over it.

    Apple's GPUs, and cuBLAS where it finds no room for its workspace, say so in words alone.
    """
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError) or any(w in str(error) for w in IN_WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


def too_large(runs: Pairs, data: Dataset, device: torch.device) -> TooLargeError:
    """The error for runs that ran out of memory, after trying what would fit.

    Tries half as many networks side by side, or half the batch size where there is one network,
    until one step can be taken.
    """
    recipe, seed = runs[0]
    if len(runs) > 1:
        what, size = f"a stack of {len(runs)} {recipe.model} networks", len(runs)
        tries = {n: runs[:n] for n in _halves(size)}
    else:
        size = recipe.batch_size or recipe.train_samples
        what = f"batch_size {size} of {recipe.model}"
        tries = {n: [(recipe.but(batch_size=n), seed)] for n in _halves(size)}
    fitting = next((n for n, less in tries.items() if _fits(less, data, device)), 0)
    mend = f"{fitting} would fit" if fitting else "not even 1 would fit"
    return TooLargeError(f"{what} is too much for the memory of {device}; {mend}")


def _halves(size: int) -> list[int]:
    """size // 2, size // 4, ... 1."""
    return [size >> shift for shift in range(1, size.bit_length())]


def _fits(runs: Pairs, data: Dataset, device: torch.device) -> bool:
    """Whether one step of training can be taken."""
    gc.collect()  # what failed before must not stand in the way
    torch.cuda.empty_cache()
    try:
        # Without graphs, which keep memory of their own: captured training needs somewhat more.
        session = Session(runs, data, device, capture=False)
        with session.running():
            session.train_steps(1)
    except RuntimeError as error:
        if not ran_out_of_memory(error):
            raise
        return False
    return True
