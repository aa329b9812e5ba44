"""The scales: what a recipe becomes where its whole protocol is not affordable."""

import math
from typing import Any

from cvclaims.catalogue import SCALES, known
from cvclaims.recipe import Recipe

# reduced: a quarter of the width, half of the epochs but no fewer than these.
REDUCED_WIDTH, REDUCED_EPOCHS = 1 / 4, 30
# smoke: an eighth of the width, so many samples and epochs.
SMOKE_WIDTH, SMOKE_SAMPLES, SMOKE_EPOCHS = 1 / 8, 256, 2
# A network may be narrowed by this much: fewer channels than this leave some layer none.
NARROWEST = 1 / 8
# A perceptron's layers keep this many units.
FEWEST_UNITS = 8


def scaled(recipe: Recipe, scale: str) -> Recipe:
    """The recipe at a scale; a pure function. Raises ValueError for an unknown scale.

    full: as it stands. reduced: light recipes as they stand; others with a quarter of the width
    (Inception's branches keep 16 channels) and for half of the epochs, but at least 30, or all
    where there are fewer; a schedule's steps and the warm-up shrink with the epochs. Images,
    batches, rates, patience, augmentation and precision stay. smoke: 256 samples, two epochs, an
    eighth of the width, for every recipe: it shows that the code runs, and nothing else.
    """
    known("scale", scale, SCALES)
    if scale == "full" or (scale == "reduced" and recipe.light):
        return recipe
    return _reduced(recipe) if scale == "reduced" else _smoke(recipe)


def scale_name(recipe: Recipe, scale: str) -> str:
    """The scale that a run really has: "full" where reducing leaves a recipe as it was.

    Smoke stays smoke, however small a recipe is: it judges nothing, and must not touch what does.
    """
    return "full" if scale != "smoke" and scaled(recipe, scale) == recipe else scale


def _reduced(recipe: Recipe) -> Recipe:
    epochs = min(recipe.epochs, max(REDUCED_EPOCHS, math.ceil(recipe.epochs / 2)))
    return recipe.but(
        epochs=epochs,
        step_size=_step(recipe, epochs),
        warmup=_warmup(recipe, epochs),
        model_args=_narrowed(recipe, REDUCED_WIDTH),
    )


def _smoke(recipe: Recipe) -> Recipe:
    whole = recipe.train_samples + recipe.held_out
    train_size, epochs = min(SMOKE_SAMPLES, whole), min(SMOKE_EPOCHS, recipe.epochs)
    held_out = recipe.held_out and max(1, round(recipe.held_out * train_size / whole))
    return recipe.but(
        train_size=train_size,
        test_size=min(SMOKE_SAMPLES, recipe.test_samples),
        epochs=epochs,
        held_out=held_out,
        step_size=_step(recipe, epochs),
        warmup=_warmup(recipe, epochs),
        batch_size=recipe.batch_size and min(recipe.batch_size, train_size - held_out),
        model_args=_narrowed(recipe, SMOKE_WIDTH),
    )


def _step(recipe: Recipe, epochs: int) -> int | None:
    return recipe.step_size and max(1, round(recipe.step_size * epochs / recipe.epochs))


def _warmup(recipe: Recipe, epochs: int) -> int:
    return min(round(recipe.warmup * epochs / recipe.epochs), epochs - 1)


def _narrowed(recipe: Recipe, width: float) -> dict[str, Any]:
    args = dict(recipe.model_args)
    if "hidden" in args:
        args["hidden"] = tuple(min(w, max(FEWEST_UNITS, int(w * width))) for w in args["hidden"])
    if "width" in args:
        args["width"] = min(args["width"], max(NARROWEST, args["width"] * width))
    return args
