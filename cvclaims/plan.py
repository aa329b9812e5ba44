"""Which runs a session may need: known once collection ends, without torch."""

from collections.abc import Iterable, Mapping
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


@dataclass(frozen=True)
class Scaled(OfRecipe):
    """What is trained at the scale of a claim, and the scale that this really is."""

    trained: Trainable
    scale: str

    def runs(self, seeds: Iterable[int]) -> list[Run]:
        """Its runs; where all there are is known, all of them."""
        if self.trained.available is not None:
            seeds = range(self.trained.available)
        return [Run(self.trained, seed, self.scale) for seed in seeds]


def scaled_arms(claim: Claim, scale: str) -> dict[str, Scaled]:
    """What a claim's recipes become at a scale, by name."""
    return {
        name: Scaled(recipe.at(scale), scale_name(recipe, scale))
        for name, recipe in claim.recipes.items()
    }


def effective_scale(arms: Mapping[str, Scaled], scale: str) -> str:
    """The scale that a claim really has: "full" where scaling leaves all its recipes alone."""
    return scale if scale in {arm.scale for arm in arms.values()} else "full"
