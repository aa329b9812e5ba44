"""How often training fails, by network, treatment and batch size.

When a run failed to train `protocol.failed` says. Two lines of the grid are compared at the same
batch sizes. Runs of which a statement says that they fail may stay at chance (`about_failing`);
those of which it says that they train may not.
"""

import pytest

from claims.vgg_batch_size.grid import Grid
from claims.vgg_batch_size.protocol import (
    BATCHES,
    VGG_BATCH_SIZE,
    case,
    cells,
    failed,
)
from cvclaims import Judge, claim

pytestmark = pytest.mark.gpu

VGG11, VGG19 = ("vgg11", "raw"), ("vgg19", "raw")
VGG11_NORMALISED, VGG19_NORMALISED = ("vgg11", "normalised"), ("vgg19", "normalised")
VGG11_BATCH_NORM, VGG19_BATCH_NORM = ("vgg11", "batch_norm"), ("vgg19", "batch_norm")

SMALL, LARGE = BATCHES[:3], BATCHES[3:]
# Batch 32 trains once the data are normalised, so these are what is left of the small ones.
SMALLEST, REST = BATCHES[:2], BATCHES[2:]

WITHOUT = VGG_BATCH_SIZE.at("First experiment, without normalisation")
NORMALISED = VGG_BATCH_SIZE.at("Second experiment, data normalisation")
BATCH_NORM = VGG_BATCH_SIZE.at("Third experiment, batch norm")


@claim(
    "2.01",
    "Raw VGG11 fails to train at small batches (8–32) and trains at larger ones",
    source=WITHOUT,
    recipes=lambda stopping, scale: cells(VGG11, stopping=stopping, scale=scale),
    about_failing=lambda stopping, scale: cells(
        VGG11, stopping=stopping, scale=scale, batches=SMALL
    ),
    case=case(),
)
def test_small_batches_fail(grid: Grid, verdict: Judge) -> None:
    small, large = (grid.there(VGG11, batches=part) for part in (SMALL, LARGE))
    verdict.rate(grid.failing(VGG11, small), grid.failing(VGG11, large))


@claim(
    "2.02",
    "Raw VGG19 hardly ever trains: it fails more often than VGG11",
    source=WITHOUT,
    recipes=lambda stopping, scale: cells(VGG19, VGG11, stopping=stopping, scale=scale),
    about_failing=True,
    case=case("against VGG11"),
)
def test_vgg19_fails_more_than_vgg11(grid: Grid, verdict: Judge) -> None:
    batches = grid.there(VGG19, VGG11)
    verdict.rate(grid.failing(VGG19, batches), grid.failing(VGG11, batches))


@claim(
    "2.02",
    "Raw VGG19 hardly ever trains: more than half of its runs fail",
    source=WITHOUT,
    recipes=lambda stopping, scale: cells(VGG19, stopping=stopping, scale=scale),
    about_failing=True,
    case=case("share"),
)
def test_vgg19_mostly_fails(grid: Grid, verdict: Judge) -> None:
    verdict.share_above(grid.failing(VGG19, grid.there(VGG19)), 0.5)


@claim(
    "2.03",
    "Data normalisation makes VGG11 fail far less",
    source=NORMALISED,
    recipes=lambda stopping, scale: cells(VGG11, VGG11_NORMALISED, stopping=stopping, scale=scale),
    about_failing=True,
    case=case("all batches"),
)
def test_normalised_vgg11_fails_less(grid: Grid, verdict: Judge) -> None:
    batches = grid.there(VGG11, VGG11_NORMALISED)
    verdict.rate(grid.failing(VGG11, batches), grid.failing(VGG11_NORMALISED, batches))


@claim(
    "2.03",
    "With data normalisation VGG11 trains at batch 32, where it failed without",
    source=NORMALISED,
    recipes=lambda stopping, scale: cells(
        VGG11, VGG11_NORMALISED, stopping=stopping, scale=scale, batches=[32]
    ),
    about_failing=lambda stopping, scale: cells(
        VGG11, stopping=stopping, scale=scale, batches=[32]
    ),
    case=case("batch 32"),
)
def test_normalised_vgg11_trains_at_batch_32(grid: Grid, verdict: Judge) -> None:
    grid.there(VGG11, VGG11_NORMALISED, batches=[32])
    raw, normalised = (grid.arm(line, 32) for line in (VGG11, VGG11_NORMALISED))
    verdict.rate(
        raw.measure(failed, "VGG11 raw fails, batch 32"),
        normalised.measure(failed, "VGG11 normalised fails, batch 32"),
    )


@claim(
    "2.03",
    "With data normalisation VGG11 still fails at the smallest batches (8 and 16)",
    source=NORMALISED,
    recipes=lambda stopping, scale: cells(VGG11_NORMALISED, stopping=stopping, scale=scale),
    about_failing=lambda stopping, scale: cells(
        VGG11_NORMALISED, stopping=stopping, scale=scale, batches=SMALLEST
    ),
    case=case("smallest batches"),
)
def test_the_smallest_batches_still_fail(grid: Grid, verdict: Judge) -> None:
    small, large = (grid.there(VGG11_NORMALISED, batches=part) for part in (SMALLEST, REST))
    verdict.rate(grid.failing(VGG11_NORMALISED, small), grid.failing(VGG11_NORMALISED, large))


@claim(
    "2.05",
    "Data normalisation eases VGG19 too: it fails less",
    source=NORMALISED,
    recipes=lambda stopping, scale: cells(VGG19, VGG19_NORMALISED, stopping=stopping, scale=scale),
    about_failing=True,
    case=case("failures"),
)
def test_normalised_vgg19_fails_less(grid: Grid, verdict: Judge) -> None:
    batches = grid.there(VGG19, VGG19_NORMALISED)
    verdict.rate(grid.failing(VGG19, batches), grid.failing(VGG19_NORMALISED, batches))


@claim(
    "2.05",
    "With data normalisation VGG19 needs a larger batch to train than VGG11",
    source=NORMALISED,
    recipes=lambda stopping, scale: cells(
        VGG19_NORMALISED, VGG11_NORMALISED, stopping=stopping, scale=scale
    ),
    about_failing=True,
    case=case("smallest batch that trains"),
)
def test_vgg19_needs_a_larger_batch(grid: Grid, verdict: Judge) -> None:
    grid.there(VGG19_NORMALISED, VGG11_NORMALISED, whole=True)
    verdict.greater(
        grid.smallest_that_trains(VGG19_NORMALISED), grid.smallest_that_trains(VGG11_NORMALISED)
    )


@claim(
    "2.06",
    "Batch norm ends VGG11's failures at small batches (8–32)",
    source=BATCH_NORM,
    recipes=lambda stopping, scale: cells(
        VGG11, VGG11_BATCH_NORM, stopping=stopping, scale=scale, batches=SMALL
    ),
    about_failing=lambda stopping, scale: cells(
        VGG11, stopping=stopping, scale=scale, batches=SMALL
    ),
    case=case("failures"),
)
def test_batch_norm_ends_failures_of_vgg11(grid: Grid, verdict: Judge) -> None:
    batches = grid.there(VGG11, VGG11_BATCH_NORM, batches=SMALL)
    verdict.rate(grid.failing(VGG11, batches), grid.failing(VGG11_BATCH_NORM, batches))


@claim(
    "2.07",
    "With batch norm VGG19 trains",
    source=BATCH_NORM,
    recipes=lambda stopping, scale: cells(VGG19, VGG19_BATCH_NORM, stopping=stopping, scale=scale),
    about_failing=lambda stopping, scale: cells(VGG19, stopping=stopping, scale=scale),
    case=case("failures"),
)
def test_batch_norm_ends_failures_of_vgg19(grid: Grid, verdict: Judge) -> None:
    batches = grid.there(VGG19, VGG19_BATCH_NORM)
    verdict.rate(grid.failing(VGG19, batches), grid.failing(VGG19_BATCH_NORM, batches))


@claim(
    "2.11",
    "Dying ReLUs are what hinders these runs: of the failing runs that patience ended, more than "
    "half end with a first-layer gradient of exactly 0",
    source=VGG_BATCH_SIZE.at("First experiment, why training fails"),
    recipes=lambda stopping, scale: cells(VGG11, VGG19, stopping=stopping, scale=scale),
    about_failing=True,
    case=case(),
)
def test_failing_runs_are_dead(grid: Grid, verdict: Judge) -> None:
    batches = grid.there(VGG11, VGG19)
    verdict.share_above(grid.dead_among_ended(VGG11, VGG19, batches=batches), 0.5)


@claim(
    "2.12",
    "With data normalisation VGG19 still fails at small batches (8–32)",
    source=NORMALISED,
    recipes=lambda stopping, scale: cells(VGG19_NORMALISED, stopping=stopping, scale=scale),
    about_failing=lambda stopping, scale: cells(
        VGG19_NORMALISED, stopping=stopping, scale=scale, batches=SMALL
    ),
    case=case(),
)
def test_normalised_vgg19_fails_at_small_batches(grid: Grid, verdict: Judge) -> None:
    small, large = (grid.there(VGG19_NORMALISED, batches=part) for part in (SMALL, LARGE))
    verdict.rate(grid.failing(VGG19_NORMALISED, small), grid.failing(VGG19_NORMALISED, large))
