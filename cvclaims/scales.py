"""The scales: what a recipe becomes where its whole protocol is not affordable."""

import math
from typing import TYPE_CHECKING, Any

from cvclaims.catalogue import SCALES, known

if TYPE_CHECKING:
    from cvclaims.recipe import Recipe
    from cvclaims.trainable import Trainable

# reduced: a quarter of the width, half of the epochs but no fewer than these.
REDUCED_WIDTH, REDUCED_EPOCHS = 1 / 4, 30
# smoke: an eighth of the width, so many samples and epochs.
SMOKE_WIDTH, SMOKE_SAMPLES, SMOKE_EPOCHS = 1 / 8, 256, 2
# A network may be narrowed by this much: fewer channels than this leave some layer none.
NARROWEST = 1 / 8
# A perceptron's layers keep this many units.
FEWEST_UNITS = 8


def scaled(recipe: "Recipe", scale: str) -> "Recipe":
    """The recipe at a scale; a pure function. Raises ValueError for an unknown scale.

    full: as it stands. reduced: as the recipe's own `reduced` says, where it has one; else light
    recipes as they stand, and others with a quarter of the width (Inception's branches keep 16
    channels) and for half of the epochs, but at least 30, or all where there are fewer; a
    schedule's steps and the warm-up shrink with the epochs. Images, batches, rates, patience,
    augmentation and precision stay. smoke: 256 samples, two epochs, an eighth of the width, for
    every recipe: it shows that the code runs, and nothing else. A network of one's own has there
    the arguments that its `@model` says.
    """
    known("scale", scale, SCALES)
    if scale == "smoke":
        return _smoke(recipe)
    if recipe.reduced:
        return recipe.shrunk(**recipe.reduced if scale == "reduced" else {})
    if scale == "full" or recipe.light:
        return recipe
    return _reduced(recipe)


def scale_name(trained: "Trainable", scale: str) -> str:
    """The scale that a run really has: "full" where reducing leaves what is trained as it was.

    Smoke stays smoke, however small a recipe is: it judges nothing, and must not touch what does.
    """
    return "full" if scale != "smoke" and trained.at(scale) == trained else scale


def _reduced(recipe: "Recipe") -> "Recipe":
    return recipe.shrunk(
        epochs=max(REDUCED_EPOCHS, math.ceil(recipe.epochs / 2)),
        model_args=_smaller(recipe, "reduced", REDUCED_WIDTH),
    )


def _smoke(recipe: "Recipe") -> "Recipe":
    whole = recipe.train_samples + recipe.held_out
    train_size = min(SMOKE_SAMPLES, whole)
    held_out = recipe.held_out and max(1, round(recipe.held_out * train_size / whole))
    return recipe.shrunk(
        train_size=train_size,
        test_size=SMOKE_SAMPLES,
        epochs=SMOKE_EPOCHS,
        held_out=held_out,
        batch_size=recipe.batch_size and min(recipe.batch_size, train_size - held_out),
        model_args=_smaller(recipe, "smoke", SMOKE_WIDTH),
    )


def _smaller(recipe: "Recipe", scale: str, width: float) -> dict[str, Any]:
    """The network's arguments at a smaller scale: its widths times `width`, or what it declares."""
    args = {**recipe.model_args, **recipe.network.smaller.get(scale, {})}
    for name in recipe.network.narrows:
        if isinstance(args[name], tuple):
            args[name] = tuple(min(w, max(FEWEST_UNITS, int(w * width))) for w in args[name])
        else:
            args[name] = min(args[name], max(NARROWEST, args[name] * width))
    return args
