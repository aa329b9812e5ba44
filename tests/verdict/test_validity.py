"""Which records may speak: each guard on records that just pass and that just do not."""

import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cvclaims.data import toy
from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.specs import DATASETS
from cvclaims.verdict import Verdict
from cvclaims.verdict.validity import (
    Compared,
    Finding,
    Group,
    arriving,
    chance,
    level_on_other_bytes,
    mostly_never,
    never_started,
    reported_for,
    start_limit,
    started,
    too_little_skill,
)
from tests.records.factory import origin, record

NAN = math.nan
TOYS = {"digits": toy.digits, "moons": toy.moons, "circles": toy.circles}
TWO = Recipe(data="moons", lr=0.1, epochs=3)
THREE = Recipe(data="cifar10", classes=("airplane", "automobile", "bird"), lr=0.1, epochs=3)
TEN = Recipe(data="cifar10", lr=0.1, epochs=3)
# An accuracy that counts as chance, and the next one that a test set of that size can give.
EDGES = [
    pytest.param(TWO, 184 / 300, 185 / 300, id="2 classes, 300 samples: .6155"),
    pytest.param(TWO.but(test_size=20), 18 / 20, 19 / 20, id="2 classes, 20 samples: .947"),
    pytest.param(THREE, 1111 / 3000, 1112 / 3000, id="3 classes, 3,000 samples: .3704"),
    pytest.param(THREE.but(test_size=30), 20 / 30, 21 / 30, id="3 classes, 30 samples: .6776"),
    pytest.param(TEN, 0.1500, 0.1501, id="10 classes, 10,000 samples: .15"),
    pytest.param(TEN.but(test_size=100), 0.22, 0.23, id="10 classes, 100 samples: .22"),
]


def group(
    arm: str, accuracies: Sequence[float], scale: str = "reduced", recipe: Recipe = TEN
) -> Group:
    runs = [record(recipe, seed, accuracy=a) for seed, a in enumerate(accuracies)]
    return Group(arm, recipe, scale, runs)


class TestStarted:
    @pytest.mark.parametrize(
        ("share", "samples", "limit"),
        [
            (1 / 10, 10_000, 0.15),
            (1 / 10, 100, 0.22),
            (1 / 3, 3_000, 0.3703704),
            (1 / 3, 30, 0.6775985),
            (1 / 2, 10_000, 0.5277778),
            (1 / 2, 300, 0.6154701),
            (0.9, 1_000, 0.9379473),
            (0.9, 1_000_000, 0.9055556),
        ],
    )
    def test_the_limit(self, share: float, samples: int, limit: float) -> None:
        assert start_limit(share, samples) == pytest.approx(limit, abs=1e-7)

    @pytest.mark.parametrize(("recipe", "at_chance", "beyond"), EDGES)
    def test_just_and_just_not(self, recipe: Recipe, at_chance: float, beyond: float) -> None:
        assert not started(record(recipe, accuracy=at_chance))
        assert started(record(recipe, accuracy=beyond))

    def test_the_best_epoch_counts_not_the_last(self) -> None:
        assert started(record(TEN, accuracy=[0.1, 0.2, 0.1]))
        assert not started(record(TEN, accuracy=[0.1, 0.15, 0.1]))

    def test_the_test_set_counts_not_training(self) -> None:
        one = record(TEN, accuracy=0.1)
        learned = {**one.series, "train_accuracy": [0.9] * 3}
        assert not started(record(TEN, accuracy=0.1, series=learned))

    @pytest.mark.parametrize(
        ("accuracy", "is_started"),
        [([NAN], False), ([NAN, 0.2], True), ([0.2, NAN], True), ([0.1, NAN], False), ([], False)],
    )
    def test_a_diverged_run(self, accuracy: list[float], is_started: bool) -> None:
        one = record(TEN, accuracy=accuracy, loss=[NAN] * len(accuracy), status="diverged")
        assert started(one) is is_started

    def test_without_an_accuracy_there_is_no_such_notion(self) -> None:
        one = record(TEN, accuracy=0.1)
        loss = {"train_loss": [0.1] * 3, "test_loss": [0.1] * 3}
        assert started(record(TEN, series=loss))
        assert not started(one)


class TestChance:
    @pytest.mark.parametrize("name", sorted(TOYS))
    @pytest.mark.parametrize("size", [None, 100, 77, 10])
    def test_of_the_data_themselves(self, name: str, size: int | None) -> None:
        counts = torch.bincount(TOYS[name]().subset(None, size).test_y)
        recipe = Recipe(data=name, lr=0.1, epochs=1, test_size=size)
        assert chance(recipe) == (counts.max().item() / counts.sum().item(), counts.sum().item())

    @pytest.mark.parametrize("size", [None, 41, 5])
    def test_of_chosen_classes(self, size: int | None) -> None:
        data = TOYS["digits"]().of_classes(("3", "2")).subset(None, size)
        recipe = Recipe(data="digits", classes=("3", "2"), lr=0.1, epochs=1, test_size=size)
        counts = torch.bincount(data.test_y).tolist()
        assert counts == {None: [37, 35], 41: [21, 20], 5: [3, 2]}[size]
        assert chance(recipe) == (counts[0] / sum(counts), sum(counts))

    def test_of_equal_classes(self) -> None:
        assert chance(TEN) == (1 / 10, 10_000)
        assert chance(THREE) == (1 / 3, 3_000)
        assert chance(TEN.but(test_size=25)) == (3 / 25, 25)

    def test_the_catalogue_counts_every_sample(self) -> None:
        for facts in (spec.facts for spec in DATASETS.values()):
            if facts.test_counts:
                assert (len(facts.test_counts), sum(facts.test_counts)) == (
                    len(facts.classes),
                    facts.test,
                )


class TestV1:
    def test_nothing_is_said_of_arms_that_all_started(self) -> None:
        assert never_started([group("a", [0.16] * 5), group("b", [0.9])]) is None
        assert never_started([]) is None

    def test_one_run_of_one_arm_at_reduced_scale_is_enough(self) -> None:
        found = never_started([group("a", [0.9] * 5), group("without", [0.16, 0.1, 0.1, 0.1, 0.1])])
        assert found == Finding("V1", "4 of 5 runs of `without` never left chance", Verdict.RAN)

    def test_every_such_arm_is_named(self) -> None:
        found = never_started([group("a", [0.1]), group("b", [0.9, 0.15])])
        assert found is not None
        assert found.why == "1 of 1 runs of `a` and 1 of 2 runs of `b` never left chance"

    def test_at_full_scale_it_is_a_note(self) -> None:
        found = never_started([group("a", [0.1, 0.9], "full")])
        assert found == Finding("V1", "1 of 2 runs of `a` never left chance", None)

    @pytest.mark.parametrize(
        ("assumed", "told"),
        [
            (("init",), "init is assumed"),
            (("lr", "epochs"), "lr is assumed"),
            (("optimizer", "lr"), "lr and optimizer are assumed"),
        ],
    )
    def test_at_full_scale_ours_leaves_it_open(self, assumed: tuple[str, ...], told: str) -> None:
        found = never_started([group("a", [0.1, 0.9], "full", TEN.but(assumed=assumed))])
        why = f"1 of 2 runs of `a` never left chance, and {told}"
        assert found == Finding("V1", why, Verdict.INCONCLUSIVE)

    def test_what_is_assumed_of_other_fields_or_arms_leaves_nothing_open(self) -> None:
        other = TEN.but(assumed=("batch_size", "weight_decay", "precision"))
        good = group("b", [0.9], "full", TEN.but(assumed=("lr",)))
        found = never_started([group("a", [0.1], "full", other), good])
        assert found is not None
        assert found.verdict is None

    def test_the_scale_is_each_run_s_own(self) -> None:
        idle_in_full = [group("a", [0.1], "full"), group("b", [0.9], "reduced")]
        found = never_started(idle_in_full)
        assert found is not None
        assert found.verdict is None
        both = never_started([*idle_in_full, group("c", [0.1], "reduced")])
        assert both is not None
        assert both.verdict is Verdict.RAN

    @given(st.lists(st.lists(st.sampled_from([0.1, 0.15, 0.1501, 0.9]), min_size=1), min_size=1))
    def test_it_is_about_any_run_whatever_the_order(self, arms: list[list[float]]) -> None:
        groups = [group(str(i), accuracies) for i, accuracies in enumerate(arms)]
        idle = any(a <= 0.15 for accuracies in arms for a in accuracies)
        assert (never_started(groups) is not None) == idle
        assert (never_started(groups[::-1]) is not None) == idle


def compared(
    accuracies: Sequence[float],
    reported: float | None,
    recipe: Recipe = TEN,
    scale: str = "reduced",
) -> Compared:
    return Compared(group("a", accuracies, scale, recipe), accuracies, reported)


class TestV2:
    @pytest.mark.parametrize(
        ("recipe", "reported", "enough", "too_little"),
        [
            (TEN, 0.9, 0.7, 0.6999),  # .1 + .75 · .8
            (THREE, 0.9333333, 0.7833334, 0.783),  # 1/3 + .75 · .6
            (TWO, 0.9, 0.8, 0.7966667),  # 1/2 + .75 · .4
            (Recipe(data="digits", lr=0.1, epochs=3), 0.95, 0.7382, 0.7381),  # q = 37/360
        ],
    )
    def test_just_and_just_not(
        self, recipe: Recipe, reported: float, enough: float, too_little: float
    ) -> None:
        assert too_little_skill([compared([enough], reported, recipe)]) is None
        found = too_little_skill([compared([too_little], reported, recipe)])
        assert found is not None
        assert (found.guard, found.verdict) == ("V2", Verdict.RAN)
        assert found.why == "`a` has 0.74 of its reported skill, less than 0.75"

    def test_the_mean_counts_not_each_run(self) -> None:
        assert too_little_skill([compared([0.5, 0.9], 0.9)]) is None
        assert too_little_skill([compared([0.5, 0.8], 0.9)]) is not None

    def test_worse_than_chance(self) -> None:
        found = too_little_skill([compared([0.09], 0.9)])
        assert found is not None
        assert found.why.startswith("`a` has -0.02 of")

    def test_full_scale_is_the_protocol_itself(self) -> None:
        assert too_little_skill([compared([0.2], 0.9, scale="full")]) is None

    @pytest.mark.parametrize("reported", [None, 0.1, 0.05])
    def test_where_no_skill_is_reported_there_is_none_to_have(self, reported: float | None) -> None:
        assert too_little_skill([compared([0.2], reported)]) is None

    def test_what_is_no_number_is_left_to_the_rule(self) -> None:
        assert too_little_skill([compared([0.2, NAN], 0.9)]) is None

    def test_one_arm_is_enough_and_each_is_named(self) -> None:
        weak, strong = compared([0.5], 0.9), compared([0.9], 0.9)
        assert too_little_skill([strong, strong]) is None
        assert too_little_skill([strong, weak]) is not None
        both = too_little_skill([weak, weak])
        assert both is not None
        assert both.why.count("0.50 of its reported skill") == 2


class TestReportedFor:
    DEEP = Recipe(data="cifar10", model="vgg", model_args={"depth": 16}, lr=0.1, epochs=9)
    SHALLOW = DEEP.but(model_args={"depth": 11})
    LRN = DEEP.but(model_args={"depth": 16, "lrn": True})
    FAST = SHALLOW.but(lr=0.5)

    def test_its_own_number_comes_first(self) -> None:
        arms = {"deep": self.DEEP, "shallow": self.SHALLOW}
        numbers = {"deep": 0.9, "shallow": 0.8}
        assert reported_for("shallow", arms, arms, numbers) == 0.8

    def test_one_that_differs_only_in_what_is_compared_stands_for_it(self) -> None:
        arms = {"deep": self.DEEP, "shallow": self.SHALLOW}
        assert reported_for("shallow", arms, arms, {"deep": 0.9}) == 0.9

    def test_one_that_differs_in_more_does_not(self) -> None:
        arms = {"shallow": self.SHALLOW, "deep": self.DEEP, "lrn": self.LRN}
        two = ["shallow", "deep"]
        assert reported_for("shallow", arms, two, {"lrn": 0.9}) is None
        assert reported_for("deep", arms, two, {"lrn": 0.9}) is None
        assert reported_for("shallow", arms, arms, {"lrn": 0.9}) == 0.9

    def test_a_recipe_that_is_not_compared_may_stand_for_it(self) -> None:
        other = self.DEEP.but(model_args={"depth": 19})
        arms = {"deep": self.DEEP, "shallow": self.SHALLOW, "deepest": other}
        assert reported_for("deep", arms, ["deep", "shallow"], {"deepest": 0.7}) == 0.7

    def test_of_several_the_nearest_then_the_lowest(self) -> None:
        arms = {"shallow": self.SHALLOW, "deep": self.DEEP, "fast": self.FAST, "lrn": self.LRN}
        numbers = {"deep": 0.9, "fast": 0.8, "lrn": 0.1}
        assert reported_for("shallow", arms, arms, numbers) == 0.8

    def test_where_the_report_gives_nothing(self) -> None:
        assert reported_for("deep", {"deep": self.DEEP}, ["deep"], {}) is None


class TestV3:
    def test_who_arrives(self) -> None:
        assert arriving([1, 9, 10, 11], 10) == [1, 1, 1, 0]
        assert math.isnan(arriving([NAN], 10)[0])

    @pytest.mark.parametrize(
        ("arrived", "never"),
        [
            ([0], True),
            ([1], False),
            ([0, 1], False),
            ([0, 0, 1], True),
            ([0, 1, 1], False),
            ([0, 0, 1, 1], False),
            ([0] * 5 + [1] * 3, True),
            ([0] * 4 + [1] * 4, False),
            ([NAN, NAN, 0], False),
        ],
    )
    def test_more_than_half(self, arrived: list[float], never: bool) -> None:
        assert mostly_never(arrived) is never


JPEG = "CIFAR-10, JPEG re-encoded"


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        (["CIFAR-10"], ""),
        (["CIFAR-10, from image files"], ""),
        (["Digits (scikit-learn)"], ""),
        (["CIFAR-10", JPEG, JPEG], f"an absolute level on {JPEG}, not the report's own bytes"),
    ],
)
def test_v5_is_about_images_that_lost_something(sources: list[str], why: str) -> None:
    records: list[Record] = [record(origin=origin(data=source)) for source in sources]
    found = level_on_other_bytes(records)
    assert (found.why if found else "") == why
    assert found is None or (found.guard, found.verdict) == ("V5", Verdict.RAN)
