"""The judge, with an engine that has every record at hand and remembers what it was asked."""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from cvclaims.claim import Claim, Report
from cvclaims.engines import NotEvaluated, RunFailed
from cvclaims.plan import LOOKS, Run, looks, runs_of
from cvclaims.recipe import Recipe
from cvclaims.records import Record, measure
from cvclaims.verdict import Decision, Verdict, rules
from cvclaims.verdict.judge import Arm, Computed, Judge, Judgment, Runs, Sample
from tests.records.factory import origin, record

PLACE = Report(9, "a-report", "A report").at("Table 1")
LIGHT = Recipe(data="digits", lr=0.1, epochs=2)
HEAVY = Recipe(data="fashion_mnist", lr=0.1, epochs=9)
NAN = math.nan

# Four arms, eight seeds, no two alike: no two samples can be taken for each other.
VALUES = {
    "a": [0.91, 0.93, 0.92, 0.90, 0.94, 0.91, 0.92, 0.93],
    "b": [0.70, 0.75, 0.72, 0.71, 0.74, 0.73, 0.70, 0.76],
    "c": [0.50, 0.49, 0.51, 0.52, 0.48, 0.50, 0.51, 0.49],
    "d": [0.30, 0.33, 0.31, 0.32, 0.30, 0.34, 0.31, 0.33],
}
# Three seeds leave open whether the first is larger, five do not.
LATE = {"a": [0.5, 0.6, 0.7, 0.6, 0.6], "b": [0.3, 0.4, 0.5, 0.4, 0.4]}
# No number of seeds decides.
OPEN = {"a": [0.1, 0.9] * 4, "b": [0.9, 0.1] * 4}

Make = Callable[[str, Run], Record]


def accuracies(values: dict[str, list[float]]) -> Make:
    """Records of an arm and a run with these accuracies, by seed."""

    def make(arm: str, run: Run) -> Record:
        value = values[arm][run.seed]
        return record(run.recipe, run.seed, accuracy=value, scale=run.scale)

    return make


class Shelf:
    """An engine: makes the record of any run, and keeps the list of questions."""

    def __init__(self, arms: dict[str, Recipe], make: Make, seeds: int = 8) -> None:
        self.names = {recipe.lr: name for name, recipe in arms.items()}
        self.make = make
        self.seeds = seeds
        self.asked: list[list[Run]] = []

    def records(self, runs: Sequence[Run]) -> list[Record]:
        self.asked.append(list(runs))
        if any(run.seed >= self.seeds for run in runs):
            raise NotEvaluated(f"the store ends after {self.seeds} seeds")
        return [self.make(self.names[run.recipe.lr], run) for run in runs]

    @property
    def seeds_asked(self) -> list[list[int]]:
        return [sorted({run.seed for run in runs}) for runs in self.asked]


class Court:
    """A claim with its arms, its judge and its engine."""

    def __init__(
        self,
        make: Make | dict[str, list[float]] = VALUES,
        *,
        recipe: Recipe = LIGHT,
        scale: str = "full",
        most: int = 8,
        seeds: int = 8,
    ) -> None:
        # Rates tell the arms apart at every scale.
        self.arms = {name: recipe.but(lr=0.1 * i) for i, name in enumerate("abcd", 1)}
        claim = Claim(id="9.01", title="Something holds", source=PLACE, recipes=self.arms)
        of = accuracies(make) if isinstance(make, dict) else make
        self.scale = scale
        self.shelf = Shelf(self.arms, of, seeds)
        self.judge = Judge(claim, scale, self.shelf, looks(most))
        self.runs = Runs(claim)
        self.a, self.b, self.c, self.d = (arm.test_accuracy for arm in self.runs.values())

    @property
    def judgment(self) -> Judgment:
        assert self.judge.judgment is not None
        return self.judge.judgment

    def keys(self, arm: str, seeds: int) -> list[str]:
        runs = runs_of(self.arms[arm], self.scale, range(seeds))
        return [self.shelf.make(arm, run).key for run in runs]


class TestLooks:
    def test_the_first_look_may_decide(self) -> None:
        court = Court()
        court.judge.greater(court.a, court.b)
        assert court.judgment.verdict is Verdict.SUPPORTED
        assert court.shelf.seeds_asked == [[0, 1, 2]]

    def test_the_second_look_may_decide(self) -> None:
        court = Court(LATE)
        court.judge.greater(court.a, court.b)
        assert court.judgment.verdict is Verdict.SUPPORTED
        assert court.shelf.seeds_asked == [[0, 1, 2], [0, 1, 2, 3, 4]]
        assert court.judgment.measured["a"]["n"] == 5

    def test_an_open_claim_is_looked_at_three_times(self) -> None:
        court = Court(OPEN)
        court.judge.greater(court.a, court.b)
        assert court.judgment.verdict is Verdict.INCONCLUSIVE
        assert court.shelf.seeds_asked == [list(range(n)) for n in LOOKS]
        assert court.judgment.measured["a"]["n"] == 8

    def test_a_refutation_ends_it_as_well(self) -> None:
        court = Court()
        court.judge.greater(court.b, court.a)
        assert court.judgment.verdict is Verdict.REFUTED
        assert court.shelf.seeds_asked == [[0, 1, 2]]

    @pytest.mark.parametrize(("most", "expected"), [(1, [1]), (2, [2]), (4, [3, 4]), (5, [3, 5])])
    def test_no_more_seeds_than_allowed(self, most: int, expected: list[int]) -> None:
        court = Court(OPEN, most=most)
        court.judge.greater(court.a, court.b)
        assert [len(seeds) for seeds in court.shelf.seeds_asked] == expected
        assert court.judgment.verdict is Verdict.INCONCLUSIVE

    def test_each_look_asks_for_each_run_once(self) -> None:
        court = Court(OPEN)
        court.judge.greater(court.a - court.b, court.b - court.a)
        for runs, seeds in zip(court.shelf.asked, LOOKS, strict=True):
            assert len(runs) == len(set(runs)) == 2 * seeds

    def test_nothing_is_asked_before_a_verdict_is_wanted(self) -> None:
        court = Court()
        assert court.shelf.asked == []
        assert court.judge.judgment is None
        assert court.judge.rule is None


def first_three(arm: str) -> list[float]:
    return VALUES[arm][:3]


RULES: dict[str, tuple[Callable[[Court], None], Decision]] = {
    "greater(0)": (
        lambda court: court.judge.greater(court.a, court.b),
        rules.greater(first_three("a"), first_three("b")),
    ),
    "greater(0.125)": (
        lambda court: court.judge.greater(court.a, court.b, margin=0.125),
        rules.greater(first_three("a"), first_three("b"), 0.125),
    ),
    "not_worse(0.25)": (
        lambda court: court.judge.not_worse(court.b, court.c, delta=0.25),
        rules.not_worse(first_three("b"), first_three("c"), 0.25),
    ),
    "ratio(1)": (
        lambda court: court.judge.ratio(court.a, court.b),
        rules.ratio(first_three("a"), first_three("b")),
    ),
    "ratio(1.5)": (
        lambda court: court.judge.ratio(court.a, court.d, factor=1.5),
        rules.ratio(first_three("a"), first_three("d"), 1.5),
    ),
    "sooner": (
        lambda court: court.judge.sooner(court.d, court.a),
        rules.sooner(first_three("d"), first_three("a")),
    ),
    "order": (
        lambda court: court.judge.order(court.a, court.b, court.c, court.d),
        rules.order([first_three(arm) for arm in "abcd"]),
    ),
    "level(0.9, 0.125)": (
        lambda court: court.judge.level(court.a, value=0.9, delta=0.125),
        rules.level(first_three("a"), 0.9, 0.125),
    ),
    "level(> 0.75)": (
        lambda court: court.judge.above(court.a, bound=0.75),
        rules.above(first_three("a"), 0.75),
    ),
    "level(< 0.75)": (
        lambda court: court.judge.below(court.d, bound=0.75),
        rules.below(first_three("d"), 0.75),
    ),
}
SWAPPED: dict[str, Callable[[Court], None]] = {
    "greater(0)": lambda court: court.judge.greater(court.b, court.a),
    "greater(0.125)": lambda court: court.judge.greater(court.a, court.b, 0.0625),
    "not_worse(0.25)": lambda court: court.judge.not_worse(court.c, court.b, 0.25),
    "ratio(1)": lambda court: court.judge.ratio(court.b, court.a),
    "ratio(1.5)": lambda court: court.judge.ratio(court.a, court.d, 2),
    "sooner": lambda court: court.judge.sooner(court.a, court.d),
    "order": lambda court: court.judge.order(court.a, court.c, court.b, court.d),
    "level(0.9, 0.125)": lambda court: court.judge.level(court.a, 0.125, 0.9),
    "level(> 0.75)": lambda court: court.judge.above(court.d, 0.75),
    "level(< 0.75)": lambda court: court.judge.below(court.a, 0.75),
}


class TestRules:
    """A decision's reason holds all its numbers: the same reason is the same question."""

    @pytest.mark.parametrize("name", RULES)
    def test_each_method_asks_its_rule(self, name: str) -> None:
        ask, expected = RULES[name]
        court = Court()
        ask(court)
        assert court.judgment.verdict is expected.verdict is Verdict.SUPPORTED
        assert court.judgment.reason == expected.reason
        assert court.judge.rule == court.judgment.rule == name

    @pytest.mark.parametrize("name", SWAPPED)
    def test_another_order_or_margin_is_another_question(self, name: str) -> None:
        court = Court()
        SWAPPED[name](court)
        assert court.judgment.reason != RULES[name][1].reason

    def test_every_rule_is_here(self) -> None:
        methods = {name for name in vars(Judge) if not name.startswith("_")} - {"exact"}
        assert {name.split("(")[0] for name in RULES} == methods - {"above", "below"}


class TestExact:
    def test_counted_without_runs(self) -> None:
        court = Court()
        court.judge.exact(13, 13)
        assert court.judgment.verdict is Verdict.SUPPORTED
        assert court.judgment.measured == {
            "counted": {"mean": 13.0, "std": None, "n": 1, "values": [13.0]}
        }
        assert court.judgment.evidence == {}
        assert court.shelf.asked == []

    def test_words_and_sequences_are_not_summed_up(self) -> None:
        court = Court()
        court.judge.exact([32, 16, 8], [32, 16, 9])
        assert court.judgment.verdict is Verdict.REFUTED
        assert court.judgment.measured == {}

    @pytest.mark.parametrize(
        ("values", "verdict"),
        [
            ([0, 0, 0], Verdict.SUPPORTED),
            ([0, 1, 0], Verdict.REFUTED),
            ([1, 1, 1], Verdict.REFUTED),
            ([0, NAN, 0], Verdict.INCONCLUSIVE),
            ([0, math.inf, 0], Verdict.INCONCLUSIVE),
        ],
    )
    def test_over_seeds_in_every_one(self, values: list[float], verdict: Verdict) -> None:
        court = Court()
        count = court.runs.a.measure(lambda of: values[of.seed])
        court.judge.exact(count, 0)
        assert court.judgment.verdict is verdict
        assert court.shelf.seeds_asked == [[0, 1, 2]]  # more seeds cannot mend a difference
        assert court.judgment.evidence == {"a": court.keys("a", 3)}

    def test_every_digit_of_a_count_is_shown(self) -> None:
        court = Court()
        court.judge.exact(33_646_666, 33_646_666)
        assert court.judgment.measured["counted"]["values"] == [33_646_666.0]

    def test_words_show_the_numbers_behind_them(self) -> None:
        court = Court()
        court.judge.exact("2.9", "2.9", counted={"times": 2.94})
        assert court.judgment.verdict is Verdict.SUPPORTED
        assert court.judgment.measured == {
            "times": {"mean": 2.94, "std": None, "n": 1, "values": [2.94]}
        }

    @pytest.mark.parametrize(
        ("measured", "reported", "verdict", "reason"),
        [
            (104, 100, Verdict.SUPPORTED, "measured 104, 4.0 % above the reported 100"),
            (95, 100, Verdict.SUPPORTED, "measured 95, 5.0 % below the reported 100"),
            (94, 100, Verdict.REFUTED, "measured 94, 6.0 % below the reported 100"),
            (1.5, 1.0, Verdict.REFUTED, "measured 1.5, 50.0 % above the reported 1.0"),
        ],
    )
    def test_about(self, measured: float, reported: float, verdict: Verdict, reason: str) -> None:
        court = Court()
        court.judge.exact(measured, reported, within=0.05)
        assert court.judgment.verdict is verdict
        assert court.judgment.rule == "exact to 5 %"
        assert court.judgment.reason == reason
        assert court.judgment.measured["counted"]["values"] == [measured]

    def test_about_is_not_for_samples(self) -> None:
        court = Court()
        with pytest.raises(TypeError, match="as they are"):
            court.judge.exact(court.a, 1, within=0.05)

    @pytest.mark.parametrize("measured", ["13", [13], True])
    def test_only_numbers_can_be_about_equal(self, measured: object) -> None:
        with pytest.raises(TypeError, match="only numbers can be about equal"):
            Court().judge.exact(measured, 13, within=0.05)

    @pytest.mark.parametrize(
        ("measured", "reported", "within"), [(NAN, 1, 0.05), (1, 0, 0.05), (1, 1, 0)]
    )
    def test_about_what_makes_no_sense(
        self, measured: float, reported: float, within: float
    ) -> None:
        with pytest.raises(ValueError, match="cannot lie within"):
            Court().judge.exact(measured, reported, within=within)

    def test_a_fraction_is_not_cut_to_a_whole_number(self) -> None:
        court = Court()
        with pytest.raises(TypeError, match="exact compares integers"):
            court.judge.exact(court.runs.a.measure(lambda of: 2.7), 2)


class TestNotJudged:
    @pytest.mark.parametrize("name", RULES)
    def test_smoke_runs_one_seed_and_judges_nothing(self, name: str) -> None:
        court = Court(scale="smoke")
        RULES[name][0](court)
        assert court.judgment.verdict is Verdict.RAN
        assert court.judgment.reason == "smoke scale judges nothing"
        assert court.shelf.seeds_asked == [[0]]
        assert {run.scale for run in court.shelf.asked[0]} == {"smoke"}

    def test_smoke_shows_what_it_measured(self) -> None:
        court = Court(scale="smoke")
        court.judge.above(court.a, 0.5)
        assert court.judgment.measured == {
            "a": {"mean": 0.91, "std": None, "n": 1, "values": [0.91]}
        }

    @pytest.mark.parametrize("name", RULES)
    def test_stand_in_data_judges_nothing_at_any_scale(self, name: str) -> None:
        court = Court(lambda arm, run: record(run.recipe, run.seed, origin=origin(stand_in=True)))
        RULES[name][0](court)
        assert court.judgment.verdict is Verdict.RAN
        assert court.judgment.reason == "generated stand-in data judges nothing"
        assert court.shelf.seeds_asked == [[0, 1, 2]]

    def test_nor_does_a_stand_in_for_one_of_two(self) -> None:
        def make(arm: str, run: Run) -> Record:
            where = origin(stand_in=arm == "b", fingerprint=arm)
            return record(run.recipe, run.seed, accuracy=VALUES[arm][run.seed], origin=where)

        court = Court(make)
        court.judge.greater(court.a, court.b)
        assert court.judgment.verdict is Verdict.RAN

    @pytest.mark.parametrize("name", RULES)
    def test_reduced_compares_but_judges_no_level(self, name: str) -> None:
        court = Court(recipe=HEAVY, scale="reduced")
        RULES[name][0](court)
        if name.startswith("level"):
            assert court.judgment.verdict is Verdict.RAN
            assert court.judgment.reason == "a level is a statement about the full protocol"
            assert court.shelf.seeds_asked == [[0, 1, 2]]
            (measured,) = court.judgment.measured.values()
            assert measured["n"] == 3
        else:
            assert court.judgment.verdict is Verdict.SUPPORTED

    def test_what_reducing_leaves_whole_has_a_level(self) -> None:
        court = Court(recipe=LIGHT, scale="reduced")
        court.judge.above(court.a, 0.75)
        assert court.judgment.verdict is Verdict.SUPPORTED


class TestSamples:
    def test_a_difference_is_taken_seed_by_seed(self) -> None:
        court = Court()
        court.judge.greater(court.a - court.b, court.c - court.d, margin=-0.5)
        ab = [x - y for x, y in zip(first_three("a"), first_three("b"), strict=True)]
        cd = [x - y for x, y in zip(first_three("c"), first_three("d"), strict=True)]
        assert court.judgment.reason == rules.greater(ab, cd, -0.5).reason
        assert list(court.judgment.measured) == ["a − b", "c − d"]
        assert court.judgment.measured["a − b"]["values"] == pytest.approx(ab)
        assert court.judgment.evidence == {arm: court.keys(arm, 3) for arm in "abcd"}

    def test_a_difference_of_differences(self) -> None:
        court = Court()
        court.judge.above((court.a - court.b) - (court.c - court.d), -1)
        expected = [
            (VALUES["a"][s] - VALUES["b"][s]) - (VALUES["c"][s] - VALUES["d"][s]) for s in range(3)
        ]
        (measured,) = court.judgment.measured.values()
        assert measured["values"] == pytest.approx(expected)

    def test_two_measures_of_one_arm(self) -> None:
        court = Court()
        accuracy, loss = court.runs.a.test_accuracy, court.runs.a.measure(lambda of: 0.1, "loss")
        court.judge.greater(accuracy, loss)
        assert list(court.judgment.measured) == ["a", "loss"]
        assert court.judgment.evidence == {"a": court.keys("a", 3)}
        assert len(court.shelf.asked[0]) == 3

    def test_ready_made_measures(self) -> None:
        of = record(LIGHT, accuracy=[0.1, 0.4], loss=[3.0, 2.0])
        arm = Arm("it", LIGHT)
        assert arm.test_accuracy.combine([of]) == 0.4
        assert arm.train_loss.combine([of]) == 2.0
        assert arm.measure(measure.first("train_loss")).combine([of]) == 3.0
        assert arm.measure(measure.first("train_loss"), "early loss").label == "early loss"

    def test_samples_of_one_name_are_refused_before_anything_trains(self) -> None:
        court = Court()
        with pytest.raises(RuntimeError, match=r"claim 9\.01: samples need different labels") as e:
            court.judge.greater(court.runs.a.train_loss, court.runs.a.test_accuracy)
        assert "['a', 'a']" in str(e.value)
        assert court.shelf.asked == []

    def test_arms_may_share_a_recipe(self) -> None:
        claim = Claim("9.01", "T", PLACE, recipes={"one": LIGHT, "two": LIGHT})
        shelf = Shelf({"a": LIGHT}, accuracies(VALUES))
        judge, runs = Judge(claim, "full", shelf, (3,)), Runs(claim)
        judge.not_worse(runs.one.test_accuracy, runs.two.test_accuracy, 0.5)
        assert len(shelf.asked[0]) == 3
        assert judge.judgment is not None
        assert judge.judgment.evidence["one"] == judge.judgment.evidence["two"]


class TestComputed:
    """Numbers that need no training: a function of the seed."""

    def test_they_are_judged_like_others_and_train_nothing(self) -> None:
        court = Court()
        deep = Computed("deep", lambda seed: VALUES["d"][seed])
        shallow = Computed("shallow", lambda seed: VALUES["a"][seed])
        court.judge.ratio(shallow, deep, factor=1.5)
        expected = rules.ratio(first_three("a"), first_three("d"), 1.5)
        assert court.judgment.verdict is expected.verdict is Verdict.SUPPORTED
        assert court.judgment.reason == expected.reason
        assert court.judgment.measured["deep"]["values"] == first_three("d")
        assert court.judgment.evidence == {}
        assert [run for runs in court.shelf.asked for run in runs] == []

    def test_an_open_claim_is_computed_for_more_seeds(self) -> None:
        court = Court()
        one = Computed("one", lambda seed: OPEN["a"][seed])
        two = Computed("two", lambda seed: OPEN["b"][seed])
        court.judge.greater(one, two)
        assert court.judgment.verdict is Verdict.INCONCLUSIVE
        assert court.judgment.measured["one"]["values"] == OPEN["a"]

    def test_beside_a_trained_arm(self) -> None:
        court = Court()
        court.judge.greater(court.a, Computed("chance", lambda seed: 0.1 + seed / 100))
        assert court.judgment.verdict is Verdict.SUPPORTED
        assert court.judgment.evidence == {"a": court.keys("a", 3)}
        assert court.shelf.seeds_asked == [[0, 1, 2]]

    @pytest.mark.parametrize(
        ("values", "verdict"), [([2, 2, 2], Verdict.SUPPORTED), ([2, 2, 3], Verdict.REFUTED)]
    )
    def test_exact_in_every_seed(self, values: list[int], verdict: Verdict) -> None:
        court = Court()
        court.judge.exact(Computed("layers", lambda seed: values[seed]), 2)
        assert court.judgment.verdict is verdict


class TestRuns:
    def test_arms_by_attribute_and_by_name(self) -> None:
        runs = Court().runs
        assert runs.a is runs["a"]
        assert list(runs) == ["a", "b", "c", "d"]
        assert len(runs) == 4
        assert "a" in runs
        assert "e" not in runs

    def test_an_arm_that_is_not_there(self) -> None:
        with pytest.raises(AttributeError) as caught:
            _ = Court().runs.e
        assert str(caught.value) == "claim 9.01 has no recipe 'e'; its recipes: a, b, c, d"
        with pytest.raises(AttributeError, match="its recipes: none"):
            _ = Runs(Claim("9.01", "T", PLACE)).a
        with pytest.raises(KeyError):
            _ = Court().runs["e"]


class TestEnds:
    def test_records_that_end_leave_the_last_look_with_a_note(self) -> None:
        court = Court(OPEN, seeds=3)
        court.judge.greater(court.a, court.b)
        assert court.judgment.verdict is Verdict.INCONCLUSIVE
        first = rules.greater(OPEN["a"][:3], OPEN["b"][:3]).reason
        assert court.judgment.reason == (
            f"{first}; no more than 3 seeds: the store ends after 3 seeds"
        )
        assert court.judgment.measured["a"]["n"] == 3
        assert court.judgment.evidence == {arm: court.keys(arm, 3) for arm in "ab"}

    def test_records_that_end_after_the_second_look(self) -> None:
        court = Court(OPEN, seeds=7)
        court.judge.greater(court.a, court.b)
        assert court.judgment.reason.endswith(
            "; no more than 5 seeds: the store ends after 7 seeds"
        )

    def test_no_records_at_all_is_not_evaluated(self) -> None:
        court = Court(OPEN, seeds=2)
        with pytest.raises(NotEvaluated, match="the store ends after 2 seeds"):
            court.judge.greater(court.a, court.b)
        assert court.judge.judgment is None

    def test_a_crash_is_no_verdict(self) -> None:
        def make(arm: str, run: Run) -> Record:
            if run.seed == 3:
                raise RunFailed("seed 3 crashed")
            return accuracies(OPEN)(arm, run)

        court = Court(make)
        with pytest.raises(RunFailed, match="seed 3 crashed"):
            court.judge.greater(court.a, court.b)

    def test_one_test_gives_one_verdict(self) -> None:
        court = Court()
        court.judge.greater(court.a, court.b)
        before = court.judgment
        asked: list[Callable[[], None]] = [
            lambda: court.judge.greater(court.a, court.b),
            lambda: court.judge.level(court.a, 0.9, 0.1),
            lambda: court.judge.exact(1, 1),
            lambda: court.judge.exact(court.a, 1),
        ]
        for ask in asked:
            with pytest.raises(RuntimeError, match=r"^claim 9\.01: one test gives one verdict; "):
                ask()
        assert court.judgment is before
        assert len(court.shelf.asked) == 1

    def test_exact_counts_as_one(self) -> None:
        court = Court()
        court.judge.exact(1, 1)
        with pytest.raises(RuntimeError, match="one test gives one verdict"):
            court.judge.greater(court.a, court.b)


class TestData:
    def test_records_of_different_data_are_never_compared(self) -> None:
        def make(arm: str, run: Run) -> Record:
            other = origin(fingerprint="e" * 64 if arm == "b" else "f" * 64)
            return record(run.recipe, run.seed, origin=other)

        court = Court(make)
        with pytest.raises(RuntimeError, match=r"^claim 9\.01: its records come from different"):
            court.judge.greater(court.a, court.b)
        assert court.judge.judgment is None

    def test_nor_seeds_of_one_arm(self) -> None:
        def make(arm: str, run: Run) -> Record:
            return record(run.recipe, run.seed, origin=origin(fingerprint=str(run.seed)))

        court = Court(make)
        with pytest.raises(RuntimeError, match="different data"):
            court.judge.above(court.a, 0.1)

    def test_a_claim_may_rest_on_two_data_sets(self) -> None:
        arms = {"a": LIGHT, "b": LIGHT.but(data="moons", lr=0.2)}
        claim = Claim("9.01", "T", PLACE, recipes=arms)

        def make(arm: str, run: Run) -> Record:
            where = origin(fingerprint=run.recipe.data, data=run.recipe.data)
            return record(run.recipe, run.seed, accuracy=VALUES[arm][run.seed], origin=where)

        judge, runs = Judge(claim, "full", Shelf(arms, make), (3,)), Runs(claim)
        judge.greater(runs.a.test_accuracy, runs.b.test_accuracy)
        assert judge.judgment is not None
        assert judge.judgment.verdict is Verdict.SUPPORTED
        assert judge.judgment.data == "digits; moons"

    def test_devices_are_named_once_each(self) -> None:
        def make(arm: str, run: Run) -> Record:
            where = origin(device="a GPU" if run.seed == 1 else "a CPU")
            return record(run.recipe, run.seed, accuracy=VALUES[arm][run.seed], origin=where)

        court = Court(make)
        court.judge.greater(court.a, court.b)
        assert court.judgment.device == "a CPU; a GPU"
        assert court.judgment.data == "Digits (scikit-learn)"


class TestMeasured:
    def test_evidence_is_what_the_last_look_saw(self) -> None:
        for values, seeds in ((VALUES, 3), (LATE, 5), (OPEN, 8)):
            court = Court(values)
            court.judge.greater(court.b, court.a)
            assert court.judgment.evidence == {arm: court.keys(arm, seeds) for arm in "ba"}

    def test_mean_spread_and_values(self) -> None:
        court = Court({"a": [1 / 3, 2 / 3, 1.0]}, most=3)
        court.judge.above(court.a, 0.1)
        assert court.judgment.measured == {
            "a": {
                "mean": 0.6666667,
                "std": 0.3333333,
                "n": 3,
                "values": [0.3333333, 0.6666667, 1.0],
            }
        }

    def test_a_loss_that_is_not_a_number_leaves_the_claim_open(self) -> None:
        def make(arm: str, run: Run) -> Record:
            if arm == "a" and run.seed == 1:
                return record(run.recipe, run.seed, status="diverged", accuracy=[0.1], loss=[NAN])
            return record(run.recipe, run.seed)

        court = Court(make)
        court.judge.greater(court.runs.a.train_loss, court.runs.b.train_loss)
        assert court.judgment.verdict is Verdict.INCONCLUSIVE
        assert court.judgment.reason == "1 of 16 values not finite (n = 8, 8)"
        measured = court.judgment.measured["a"]
        assert (measured["mean"], measured["std"]) == (None, None)
        assert measured["values"] == [0.25, None, *[0.25] * 6]
        assert court.judgment.measured["b"]["mean"] == 0.25

    def test_the_accuracy_of_a_diverged_run_counts(self) -> None:
        def make(arm: str, run: Run) -> Record:
            if arm == "b":
                return record(
                    run.recipe,
                    run.seed,
                    status="diverged",
                    accuracy=[0.10 + 0.01 * run.seed],
                    loss=[NAN],
                )
            return accuracies(VALUES)(arm, run)

        court = Court(make)
        court.judge.greater(court.a, court.b)
        assert court.judgment.verdict is Verdict.SUPPORTED
        assert court.judgment.measured["b"]["values"] == pytest.approx([0.1, 0.11, 0.12])

    def test_a_measure_that_fails_is_no_verdict(self) -> None:
        court = Court()
        wrong: Sample = court.runs.a.measure(measure.final("gradient"))
        with pytest.raises(KeyError, match="no series 'gradient'"):
            court.judge.above(wrong, 0.5)
        assert court.judge.judgment is None

    def test_a_row_can_be_made_of_it(self) -> None:
        court = Court()
        court.judge.order(court.a, court.b, court.c)
        found: Any = json.loads(json.dumps([court.judgment.measured, court.judgment.evidence]))
        assert found == [court.judgment.measured, court.judgment.evidence]
