"""The judge: what it does not judge, its samples and arms, and what it leaves behind."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cvclaims.claim import Claim
from cvclaims.engines import NotEvaluated, RunFailed
from cvclaims.plan import Run
from cvclaims.records import Record, measure
from cvclaims.verdict import Verdict, rules
from cvclaims.verdict.judge import Arm, Computed, Judge, Runs, Sample
from tests.records.factory import origin, record
from tests.verdict.court import (
    HEAVY,
    LATE,
    LIGHT,
    NAN,
    OPEN,
    PLACE,
    RULES,
    VALUES,
    Court,
    Shelf,
    accuracies,
    first_three,
)

# Times are taken without the engine; tests/verdict/test_judge_timed.py is about them.
UNTIMED = [name for name in RULES if not name.endswith("timed")]
LEVELS = ("level", "spread")


class TestNotJudged:
    @pytest.mark.parametrize("name", UNTIMED)
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

    @pytest.mark.parametrize("name", UNTIMED)
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
        if name.startswith(LEVELS):
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
        arm = Arm(LIGHT, "full", "it")
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


class TestShown:
    def test_they_are_told_beside_the_two_and_decide_nothing(self) -> None:
        court, alone = Court(reported={"a's loss": 0.25}), Court()
        loss = court.runs.a.measure(measure.final("train_loss"), "a's loss")
        court.judge.greater(court.a, court.b, shown=[loss])
        alone.judge.greater(alone.a, alone.b)
        told = dict(court.judgment.measured)
        assert told.pop("a's loss")["values"] == [0.25] * 3
        assert told == alone.judgment.measured
        for name in ("verdict", "reason", "evidence", "decision", "rule_digest"):
            assert getattr(court.judgment, name) == getattr(alone.judgment, name)

    def test_of_every_seed_that_the_last_look_saw(self) -> None:
        court = Court(OPEN)
        seed = court.runs.b.measure(lambda of: float(of.seed), "seed")
        court.judge.greater(court.a, court.b, shown=[seed])
        assert court.judgment.measured["seed"]["values"] == list(range(8))

    def test_two_of_one_name(self) -> None:
        court = Court()
        with pytest.raises(RuntimeError, match="samples need different labels"):
            court.judge.greater(court.a, court.b, shown=[court.runs.a.train_loss])
        assert court.shelf.asked == []

    def test_one_of_another_arm(self) -> None:
        court = Court()
        told = r"claim 9\.01: 'c' is shown but of 'c', which is not compared"
        with pytest.raises(RuntimeError, match=told):
            court.judge.greater(court.a, court.b, shown=[court.c])
        assert court.shelf.asked == []

    def test_a_percentage_beside_a_share(self) -> None:
        court = Court(reported={"best of a": 93.0})
        best = court.runs.a.measure(measure.best("test_accuracy"), "best of a")
        with pytest.raises(ValueError, match=r"reported 'best of a' is 93, but a share"):
            court.judge.greater(court.a, court.b, shown=[best])


class TestSooner:
    @pytest.mark.parametrize(("epoch", "told"), [(10.0, True), (9.0, False)])
    def test_what_was_never_reached_is_told(self, epoch: float, told: bool) -> None:
        court = Court(recipe=HEAVY, scale="reduced")  # all of its nine epochs
        slow = court.runs.b.measure(lambda _: epoch)
        court.judge.sooner(court.runs.a.measure(lambda _: 2.0), slow)
        assert court.judgment.verdict is Verdict.SUPPORTED
        note = "; 10 epochs stand for: not within 9"
        assert court.judgment.reason.endswith(note) is told

    def test_samples_without_epochs_of_their_own(self) -> None:
        court = Court()
        court.judge.sooner(Computed("a", lambda _: 0.0), Computed("b", lambda _: 1.0))
        assert "stand for" not in court.judgment.reason


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
                return record(run.recipe, run.seed, status="diverged", accuracy=[0.5], loss=[NAN])
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
