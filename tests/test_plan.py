"""Which runs a session needs: at which scale, with which seeds, each of them once."""

import pytest

from cvclaims.claim import Claim, Report
from cvclaims.plan import LOOKS, Run, effective_scale, first_runs, looks, runs_of
from cvclaims.recipe import Recipe
from cvclaims.scales import scaled
from cvclaims.verdict import statistics

PLACE = Report(9, "a-report", "A report").at("Table 1")
LIGHT = Recipe(data="digits", lr=0.1, epochs=5)
HEAVY = Recipe(data="fashion_mnist", lr=0.1, epochs=9)


def claim(id: str, **recipes: Recipe) -> Claim:
    return Claim(id=id, title="Something holds", source=PLACE, recipes=recipes)


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (1, (1,)),
        (2, (2,)),
        (3, (3,)),
        (4, (3, 4)),
        (5, (3, 5)),
        (6, (3, 5, 6)),
        (7, (3, 5, 7)),
        (8, (3, 5, 8)),
    ],
)
def test_looks(most: int, expected: tuple[int, ...]) -> None:
    assert looks(most) == expected


def test_the_bounds_are_for_as_many_looks() -> None:
    assert max(len(looks(n)) for n in range(1, 9)) == len(LOOKS) == 3
    assert statistics.LOOKS is LOOKS
    assert statistics.NOMINAL_ALPHA == 0.0221  # Pocock's for three


def test_runs_are_of_the_scaled_recipe() -> None:
    assert runs_of(HEAVY, "reduced", [0, 2]) == [
        Run(scaled(HEAVY, "reduced"), seed, "reduced") for seed in (0, 2)
    ]
    assert runs_of(LIGHT, "reduced", range(1)) == [Run(LIGHT, 0, "full")]
    assert runs_of(LIGHT, "smoke", range(1)) == [Run(scaled(LIGHT, "smoke"), 0, "smoke")]


def test_first_runs_are_those_of_the_first_look() -> None:
    runs = first_runs([(claim("1", a=LIGHT), "full")], 8)
    assert runs == [Run(LIGHT, seed, "full") for seed in range(3)]
    assert first_runs([(claim("1", a=LIGHT), "full")], 2) == runs[:2]


def test_claims_share_their_runs_and_keep_their_order() -> None:
    other = LIGHT.but(lr=0.2)
    runs = first_runs(
        [
            (claim("1", a=HEAVY, b=LIGHT), "full"),
            (claim("2", c=LIGHT.but(assumed=("lr",)), d=other), "full"),
        ],
        3,
    )
    recipes = [HEAVY] * 3 + [LIGHT] * 3 + [other] * 3
    assert [run.recipe for run in runs] == recipes
    assert [run.seed for run in runs] == [0, 1, 2] * 3


def test_smoke_wants_one_seed() -> None:
    runs = first_runs([(claim("1", a=LIGHT, b=HEAVY), "smoke")], 8)
    assert [(run.seed, run.scale) for run in runs] == [(0, "smoke"), (0, "smoke")]


def test_the_same_recipe_at_two_scales_is_two_runs() -> None:
    runs = first_runs([(claim("1", a=HEAVY), "reduced"), (claim("2", a=HEAVY), "smoke")], 3)
    assert [run.scale for run in runs] == ["reduced"] * 3 + ["smoke"]


def test_claims_without_runs_need_none() -> None:
    assert first_runs([(claim("1"), "full")], 8) == []
    assert first_runs([], 8) == []


def test_a_claim_has_the_scale_that_its_runs_have() -> None:
    assert effective_scale(claim("1", a=HEAVY), "reduced") == "reduced"
    assert effective_scale(claim("1", a=LIGHT), "reduced") == "full"
    assert effective_scale(claim("1", a=LIGHT, b=HEAVY), "reduced") == "reduced"
    assert effective_scale(claim("1", a=LIGHT), "smoke") == "smoke"
    assert effective_scale(claim("1", a=HEAVY), "full") == "full"
    assert effective_scale(claim("1"), "smoke") == "full"


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^unknown scale 'tiny': "):
        first_runs([(claim("1", a=LIGHT), "tiny")], 8)
