"""Accuracy rises with the batch size, then falls past a point: the best batch is an inner one.

The report says so of the runs that train, and names no best batch; its plots alone show one. A
best one picked from the runs that then test it would be favoured by chance. So the inner batch is
fixed beforehand: 128, in the middle of the sweep. Where it beats both ends the best batch lies
between them. Where it loses to an end, the rise or fall that the statement has on that side does
not show at 128; another inner batch might still be best.
"""

from collections.abc import Sequence

import pytest

from claims.vgg_batch_size.grid import Grid
from claims.vgg_batch_size.protocol import (
    BATCHES,
    STOPPINGS,
    VGG_BATCH_SIZE,
    accuracy,
    cells,
    trained,
)
from cvclaims import Judge, Record, claim, combined

INNER, LARGEST = 128, BATCHES[-1]
SMALLER = BATCHES[: BATCHES.index(INNER)]

CONCLUSION = VGG_BATCH_SIZE.at("Plots of accuracy over batch size; conclusion")
LINES = {
    "VGG11, raw": ("vgg11", "raw"),
    "VGG11, data normalisation": ("vgg11", "normalised"),
    "VGG19, batch norm": ("vgg19", "batch_norm"),
}

pytestmark = [pytest.mark.gpu, pytest.mark.parametrize("line", LINES)]


def of_the_smallest_that_trains(records: Sequence[Record]) -> float:
    """Accuracy at the smallest batch size that trains; where none does, what the smallest came to.

    A batch size that does not train is the matter of other claims; to count it here would show a
    rise wherever training fails.
    """
    return next((accuracy(run) for run in records if trained(run)), accuracy(records[0]))


@claim(
    "2.08",
    "Accuracy rises with the batch size, then falls past a point: batch 128 beats the smallest "
    "that trains, and the largest, 1024",
    source=CONCLUSION,
    recipes=lambda line, stopping, scale: cells(
        LINES[line], stopping=stopping, scale=scale, batches=(*SMALLER, INNER, LARGEST)
    ),
    case=lambda line, stopping: f"{line}, {STOPPINGS[stopping]}",
)
def test_accuracy_rises_and_falls(grid: Grid, verdict: Judge, line: str) -> None:
    batches = grid.there(LINES[line], batches=(*SMALLER, INNER, LARGEST), whole=True)
    smaller = [grid.arm(LINES[line], batch) for batch in batches if batch < INNER]
    verdict.greatest(
        grid.arm(LINES[line], INNER).measure(accuracy, "batch 128"),
        combined("smallest batch that trains", smaller, of_the_smallest_that_trains),
        grid.arm(LINES[line], LARGEST).measure(accuracy, "batch 1024"),
    )
