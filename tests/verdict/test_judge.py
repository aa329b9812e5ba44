"""The judge: when it looks, by which rule, and what is exact."""

import math
from typing import Any

import pytest

from cvclaims.plan import LOOKS
from cvclaims.verdict import Verdict
from cvclaims.verdict.judge import Judge
from tests.verdict.court import (
    LATE,
    NAN,
    OPEN,
    RULES,
    SWAPPED,
    Court,
)

# The methods whose rules have other names than they.
METHODS = {
    "spread(< 0.5)": "spread_below",
    "greater(0.125), paired": "paired",
    "share(> 0.5)": "share_above",
    "ratio(1), timed": "times",
    "ratio(1.25), timed": "times",
    "ratio(1 ± 0.5), timed": "times_within",
}


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
        methods = {name for name in vars(Judge) if not name.startswith("_")}
        methods -= {"exact", "available"}
        names = {METHODS.get(name, name.split("(")[0]) for name in RULES}
        assert names == methods - {"above", "below"}


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

    @pytest.mark.parametrize("odd", [math.inf, NAN, 10**400, 1e300, None, "3", True], ids="abcdefg")
    def test_a_number_behind_words_is_finite(self, odd: Any) -> None:
        with pytest.raises(ValueError, match=r"counted 'times' is no finite number$"):
            Court().judge.exact("2.9", "2.9", counted={"times": odd})

    @pytest.mark.parametrize("nothing", [[], (), "", [[], ()], [""]])
    def test_two_sides_that_hold_nothing_judge_nothing(self, nothing: object) -> None:
        with pytest.raises(ValueError, match="both sides are empty"):
            Court().judge.exact(nothing, nothing)

    def test_what_is_empty_on_one_side_is_refuted(self) -> None:
        for measured, reported in (([], [1]), ([1], []), ("", "x")):
            court = Court()
            court.judge.exact(measured, reported)
            assert court.judgment.verdict is Verdict.REFUTED

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
