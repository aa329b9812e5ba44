"""The judge on samples of several arms, and on times that were taken beside no records."""

from collections.abc import Sequence

import pytest

from cvclaims.engines import NotEvaluated
from cvclaims.records import Record
from cvclaims.verdict import Verdict, rules
from cvclaims.verdict.judge import Timed, Timing, combined, pooled
from tests.verdict.court import HEAVY, OPEN, RATIOS, VALUES, Court, first_three, timed


class TestPooled:
    def test_all_arms_of_a_seed_in_turn_then_those_of_the_next(self) -> None:
        court = Court()
        court.judge.greater(pooled("high", court.a, court.b), pooled("low", court.c, court.d))
        values = [VALUES[arm][seed] for seed in range(3) for arm in "ab"]
        low = [VALUES[arm][seed] for seed in range(3) for arm in "cd"]
        assert court.judgment.measured["high"]["values"] == values
        assert court.judgment.measured["high"]["n"] == 6
        assert court.judgment.reason == rules.greater(values, low).reason
        assert court.judgment.evidence == {arm: court.keys(arm, 3) for arm in "abcd"}

    def test_of_differences(self) -> None:
        court = Court()
        court.judge.paired(pooled("gain", court.a - court.b, court.c - court.d))
        pairs = [(x, y) for seed in range(3) for x, y in ("ab", "cd")]
        expected = [VALUES[x][i // 2] - VALUES[y][i // 2] for i, (x, y) in enumerate(pairs)]
        assert court.judgment.measured["gain"]["values"] == pytest.approx(expected)
        assert court.judgment.verdict is Verdict.SUPPORTED

    def test_more_seeds_while_it_is_open(self) -> None:
        court = Court(OPEN)
        failing = [court.runs[arm].measure(lambda of: float(of.seed % 2)) for arm in "ab"]
        court.judge.rate(pooled("one", *failing), pooled("two", *failing))
        assert court.judgment.verdict is Verdict.INCONCLUSIVE
        assert court.judgment.measured["one"]["n"] == 16
        assert [len(seeds) for seeds in court.shelf.seeds_asked] == [3, 5, 8]

    def test_nothing_cannot_be_pooled(self) -> None:
        with pytest.raises(ValueError, match="'none' pools no samples"):
            pooled("none")


class TestCombined:
    def test_a_number_from_all_of_a_seeds_records(self) -> None:
        court = Court()
        seen: list[list[tuple[float, int]]] = []

        def smallest(records: Sequence[Record]) -> float:
            seen.append([(of.recipe.lr, of.seed) for of in records])
            return min(of.series["test_accuracy"][-1] for of in records)

        arms = [court.runs[arm] for arm in "dab"]
        court.judge.greater(court.c, combined("smallest", arms, smallest))
        assert court.judgment.measured["smallest"]["values"] == first_three("d")
        rates = [arm.recipe.lr for arm in arms]
        assert seen == [[(rate, seed) for rate in rates] for seed in range(3)]
        assert court.judgment.evidence == {arm: court.keys(arm, 3) for arm in "cdab"}

    def test_a_difference_of_two(self) -> None:
        court = Court()
        arms = [court.runs[arm] for arm in "ab"]
        both = combined("mean", arms, lambda of: sum(r.series["test_accuracy"][-1] for r in of) / 2)
        court.judge.paired(both - court.c)
        expected = [(VALUES["a"][s] + VALUES["b"][s]) / 2 - VALUES["c"][s] for s in range(3)]
        (measured,) = court.judgment.measured.values()
        assert measured["values"] == pytest.approx(expected)

    def test_nothing_cannot_be_combined(self) -> None:
        with pytest.raises(ValueError, match="'none' combines no arms"):
            combined("none", [], lambda _: 0.0)


class TestTimed:
    def test_a_row_of_times(self) -> None:
        court = Court(recipe=HEAVY, scale="reduced")
        court.judge.times(court.timed, factor=1.25)
        judgment = court.judgment
        assert judgment.verdict is Verdict.SUPPORTED
        assert judgment.measured["a / b"]["values"] == RATIOS[:3]
        assert judgment.measured["a, s per epoch"]["values"] == [2, 3, 4]
        assert (judgment.device, judgment.data) == ("a watch", "MNIST, timed")
        assert judgment.evidence == {}
        assert [run for runs in court.shelf.asked for run in runs] == []

    def test_no_seed_is_timed_twice(self) -> None:
        asked: list[int] = []

        def take(seed: int) -> Timing:
            asked.append(seed)
            return Timing([0.5, 2.0][seed % 2], {}, "a watch", "MNIST")

        court = Court()
        court.judge.times(Timed("a / b", take))
        assert court.judgment.verdict is Verdict.INCONCLUSIVE
        assert court.judgment.measured["a / b"]["n"] == 8
        assert asked == list(range(8))

    def test_smoke_times_one_seed_and_judges_nothing(self) -> None:
        court = Court(scale="smoke")
        court.judge.times(court.timed)
        assert court.judgment.verdict is Verdict.RAN
        assert court.judgment.reason == "smoke scale judges nothing"
        assert court.judgment.measured["a / b"]["values"] == RATIOS[:1]

    def test_stand_in_data_judges_nothing(self) -> None:
        court = Court()
        court.judge.times_within(timed("a / b", RATIOS, stand_in=True), 0.5)
        assert court.judgment.verdict is Verdict.RAN
        assert court.judgment.reason == "generated stand-in data judges nothing"

    def test_where_it_cannot_be_timed(self) -> None:
        def take(seed: int) -> Timing:
            raise NotEvaluated("no watch")

        court = Court()
        with pytest.raises(NotEvaluated, match="no watch"):
            court.judge.times(Timed("a / b", take))
        assert court.judge.judgment is None
