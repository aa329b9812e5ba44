"""V4: what it means that a run failed to train, and what is undecided.

A run that patience ended without ever doing better than a limit failed to train, as did one whose
first layer has no gradient left. One that met the cap of epochs without having started might have
started later: it is *undecided*. The judge decides such a row twice, with all undecided runs as
failed and with all as trained, and leaves it open where the two differ.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.records.measure import Measure, best, first_gradient_is_zero
from cvclaims.verdict.validity import started

# Where a record says what it is taken for, while the judge decides a row by it.
_TAKEN_FOR_FAILED = "taken for failed"


def failed_to_train(limit: float) -> Measure:
    """1 for a run that failed to train, 0 for one that trained, NaN for one that is undecided.

    It failed when the best test accuracy of any epoch is at most `limit`, and patience ended it or
    the gradient at its first layer is exactly 0. Raises ValueError where `limit` is no share.
    """
    number = isinstance(limit, int | float) and not isinstance(limit, bool)
    if not number or not 0 < limit < 1:
        raise ValueError(
            f"failed_to_train: the limit is an accuracy between 0 and 1, such as 0.15, not {limit}"
        )

    def measure(record: Record) -> float:
        low = not best("test_accuracy")(record) > limit  # NaN is low
        if low and (ended_by_patience(record) or _has_no_gradient(record)):
            return 1.0
        return record.numbers.get(_TAKEN_FOR_FAILED, math.nan) if is_undecided(record) else 0.0

    return measure


def ended_by_patience(record: Record) -> bool:
    """Whether the monitored loss had not fallen for `patience` epochs, at the last one too."""
    recipe = record.trained
    if not isinstance(recipe, Recipe) or recipe.patience is None or record.status != "finished":
        return False
    if record.epochs < recipe.epochs:  # nothing else ends a run early
        return True
    held_out = recipe.monitor == "held_out_loss"
    curve: Sequence[Any] = record.probes.get("held_out_loss", ()) if held_out else ()
    losses = [_finite(loss) for loss in curve or record.series["test_loss"]]
    return len(losses) - 1 - losses.index(min(losses)) >= recipe.patience


def is_undecided(record: Record) -> bool:
    """Whether a run that never started might have done so, had it not met the cap of epochs.

    One that diverged before it started is undecided too: nothing says that it failed otherwise.
    """
    return not started(record) and not ended_by_patience(record)


def decided(record: Record, *, failed: bool) -> Record:
    """The record as it counts where undecided runs are taken for failed ones, or for trained.

    One that is not undecided counts as it did.
    """
    numbers = {**record.numbers, _TAKEN_FOR_FAILED: float(failed)}
    return dataclasses.replace(record, numbers=numbers)


def _has_no_gradient(record: Record) -> bool:
    return bool(record.probes.get("gradient_norms")) and first_gradient_is_zero(record) == 1


def _finite(loss: float | None) -> float:
    return loss if loss is not None and math.isfinite(loss) else math.inf
