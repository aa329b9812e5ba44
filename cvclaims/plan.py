"""Which runs a session may need: known once collection ends, without torch."""

from collections.abc import Iterable
from dataclasses import dataclass

from cvclaims.claim import Claim
from cvclaims.scales import scale_name
from cvclaims.trainable import OfRecipe, Trainable

# A verdict is looked for after this many seeds; `verdict.levels` allows for so many looks.
LOOKS = (3, 5, 8)
# Where every recipe trains in seconds, it is looked for after these too.
MORE_LOOKS = (*LOOKS, 13, 20)


@dataclass(frozen=True)
class Run(OfRecipe):
    """One run: what is trained, as it is trained (already scaled), and a seed."""

    trained: Trainable
    seed: int
    scale: str


def looks(claim: Claim, most: int | None = None) -> tuple[int, ...]:
    """The looks at a claim; where there may be `most` seeds alone, the last of them at `most`.

    A claim that trains nothing has three, and one on runs that are there a single one.
    """
    there = [recipe.available for recipe in claim.recipes.values()]
    if there and None not in there:
        return (max(count or 0 for count in there),)
    quick = bool(claim.recipes) and all(recipe.quick for recipe in claim.recipes.values())
    at = MORE_LOOKS if quick else LOOKS
    return at if most is None or most >= at[-1] else (*(n for n in at if n < most), most)


def runs_of(recipe: Trainable, scale: str, seeds: Iterable[int]) -> list[Run]:
    """The runs of a recipe at a scale; where all there are is known, all of them."""
    small = recipe.at(scale)
    if small.available is not None:
        seeds = range(small.available)
    return [Run(small, seed, scale_name(recipe, scale)) for seed in seeds]


def effective_scale(claim: Claim, scale: str) -> str:
    """The scale that a claim really has: "full" where scaling leaves all its recipes alone."""
    names = {scale_name(recipe, scale) for recipe in claim.recipes.values()}
    return scale if scale in names else "full"


def first_runs(claims: Iterable[tuple[Claim, str]], most: int | None = None) -> list[Run]:
    """The runs that claims, each at its scale, need for their first look: each once, in order."""
    runs: dict[Run, None] = {}
    for claim, scale in claims:
        seeds = range(1 if scale == "smoke" else looks(claim, most)[0])
        for recipe in claim.recipes.values():
            if recipe.available is None:
                runs.update(dict.fromkeys(runs_of(recipe, scale, seeds)))
    return list(runs)
