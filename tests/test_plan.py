"""Which runs a session needs: at which scale, with which seeds, each of them once."""

from dataclasses import dataclass

import pytest

from cvclaims.claim import Claim, Report
from cvclaims.plan import LOOKS, Run, Scaled, effective_scale, looks, scaled_arms
from cvclaims.recipe import Recipe
from cvclaims.scales import scaled
from cvclaims.schedule import first_runs

PLACE = Report(9, "a-report", "A report").at("Table 1")
LIGHT = Recipe(data="digits", lr=0.1, epochs=5)
HEAVY = Recipe(data="fashion_mnist", lr=0.1, epochs=9)


def claim(id: str, **recipes: Recipe) -> Claim:
    return Claim(id=id, title="Something holds", source=PLACE, recipes=recipes)


PERCEPTRON = Recipe(data="fashion_mnist", lr=0.1, epochs=9)
NETWORK = Recipe(data="cifar10", model="vgg", lr=0.1, epochs=9)


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        *((1, (1,)), (2, (2,)), (3, (3,)), (4, (3, 4)), (5, (3, 5)), (6, (3, 5, 6))),
        *((7, (3, 5, 7)), (8, (3, 5, 8)), (9, (3, 5, 8)), (20, (3, 5, 8)), (None, (3, 5, 8))),
    ],
)
def test_looks(most: int | None, expected: tuple[int, ...]) -> None:
    assert looks(claim("9.1", a=LIGHT, b=NETWORK), most) == expected


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        *((3, (3,)), (8, (3, 5, 8)), (9, (3, 5, 8, 9)), (13, (3, 5, 8, 13))),
        *((14, (3, 5, 8, 13, 14)), (20, (3, 5, 8, 13, 20)), (None, (3, 5, 8, 13, 20))),
    ],
)
@pytest.mark.parametrize("recipe", [LIGHT, PERCEPTRON], ids=["light", "perceptron"])
def test_looks_where_a_run_takes_seconds(
    recipe: Recipe, most: int | None, expected: tuple[int, ...]
) -> None:
    assert looks(claim("9.1", a=recipe, b=recipe.but(lr=0.2)), most) == expected


def test_what_trains_nothing_has_three_looks() -> None:
    assert looks(claim("9.1")) == LOOKS == (3, 5, 8)


@dataclass(frozen=True)
class Wanted:
    """A claim at a scale, as the plugins have it."""

    claim: Claim
    scale: str

    @property
    def arms(self) -> dict[str, Scaled]:
        return scaled_arms(self.claim, self.scale)


def runs(recipe: Recipe, scale: str, *seeds: int) -> list[Run]:
    return Wanted(claim("1", a=recipe), scale).arms["a"].runs(seeds)


def test_runs_are_of_the_scaled_recipe() -> None:
    assert runs(HEAVY, "reduced", 0, 2) == [
        Run(scaled(HEAVY, "reduced"), seed, "reduced") for seed in (0, 2)
    ]
    assert runs(LIGHT, "reduced", 0) == [Run(LIGHT, 0, "full")]
    assert runs(LIGHT, "smoke", 0) == [Run(scaled(LIGHT, "smoke"), 0, "smoke")]


def test_first_runs_are_those_of_the_first_look() -> None:
    light = [Wanted(claim("1", a=LIGHT), "full")]
    found = first_runs(light, 8)
    assert found == [Run(LIGHT, seed, "full") for seed in range(3)]
    assert first_runs(light, 2) == found[:2]


def test_claims_share_their_runs_and_keep_their_order() -> None:
    other = LIGHT.but(lr=0.2)
    found = first_runs(
        [
            Wanted(claim("1", a=HEAVY, b=LIGHT), "full"),
            Wanted(claim("2", c=LIGHT.but(assumed=("lr",)), d=other), "full"),
        ],
        3,
    )
    assert [run.recipe for run in found] == [HEAVY] * 3 + [LIGHT] * 3 + [other] * 3
    assert [run.seed for run in found] == [0, 1, 2] * 3


def test_smoke_wants_one_seed() -> None:
    found = first_runs([Wanted(claim("1", a=LIGHT, b=HEAVY), "smoke")], 8)
    assert [(run.seed, run.scale) for run in found] == [(0, "smoke"), (0, "smoke")]


def test_the_same_recipe_at_two_scales_is_two_runs() -> None:
    wanted = [Wanted(claim(str(n), a=HEAVY), scale) for n, scale in enumerate(("reduced", "smoke"))]
    assert [run.scale for run in first_runs(wanted, 3)] == ["reduced"] * 3 + ["smoke"]


def test_claims_without_runs_need_none() -> None:
    assert first_runs([Wanted(claim("1"), "full")], 8) == []
    assert first_runs([], 8) == []


def test_a_claim_has_the_scale_that_its_runs_have() -> None:
    def found(scale: str, **recipes: Recipe) -> str:
        return effective_scale(scaled_arms(claim("1", **recipes), scale), scale)

    assert found("reduced", a=HEAVY) == "reduced"
    assert found("reduced", a=LIGHT) == "full"
    assert found("reduced", a=LIGHT, b=HEAVY) == "reduced"
    assert found("smoke", a=LIGHT) == "smoke"
    assert found("full", a=HEAVY) == "full"
    assert found("smoke") == "full"


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^unknown scale 'tiny': "):
        scaled_arms(claim("1", a=LIGHT), "tiny")
