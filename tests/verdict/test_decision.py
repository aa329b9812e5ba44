"""A decision's numbers, and what stands beside a verdict."""

import math
from collections.abc import Sequence
from typing import ClassVar

import pytest
from scipy import stats

from cvclaims.claim import Reported, mean_reported
from cvclaims.verdict import Decision, Verdict, rules
from cvclaims.verdict.beside import own_runs, rule_digest, size
from cvclaims.verdict.guards import Question
from cvclaims.verdict.judgment import numbers
from cvclaims.verdict.levels import NOMINAL, nominal
from cvclaims.verdict.samples import Computed, Timed, Timing
from tests.verdict.court import VALUES, Court

A, B = [2.0, 3.0, 4.0], [0.0, 1.5, 2.0]


class TestNumbers:
    def test_a_difference_is_scipys(self) -> None:
        found = rules.greater(A, B, 0.25, alpha=0.04)
        test = stats.ttest_ind(A, B, equal_var=False)
        low, high = test.confidence_interval(0.92)
        assert found.estimate == pytest.approx(3 - 3.5 / 3)
        assert (found.lower, found.upper) == pytest.approx((low, high))
        shifted = [x - 0.25 for x in A]
        p = stats.ttest_ind(shifted, B, equal_var=False, alternative="greater").pvalue
        assert (found.level, found.n) == (0.04, (3, 3))
        assert found.p == pytest.approx(p)

    def test_a_ratio_is_one_of_geometric_means(self) -> None:
        found = rules.ratio([2.0, 4.0], [1.0, 1.0, 1.01], 2)
        assert found.estimate == pytest.approx(math.sqrt(8) / 1.01 ** (1 / 3))
        logs = [math.log(x) for x in (found.lower or 0, found.estimate or 0, found.upper or 0)]
        assert logs[2] - logs[1] == pytest.approx(logs[1] - logs[0])

    def test_of_two_ends_the_nearer_has_the_p_value(self) -> None:
        found = rules.level([1.0, 2.0, 3.0], 1.5, 4)
        inner = stats.ttest_1samp([1, 2, 3], 5.5, alternative="less").pvalue
        assert found.p == pytest.approx(inner)

    def test_p_below_the_level_is_what_supports(self) -> None:
        for margin in (-3, -1, 0, 0.5, 1, 2, 5):
            found = rules.greater(A, B, margin)
            assert found.p is not None
            assert found.level is not None
            assert (found.p < found.level) == (found.verdict is Verdict.SUPPORTED)

    def test_counts_have_exact_p_values_and_no_bounds(self) -> None:
        found = rules.rate([1, 1, 1], [0, 0, 0])
        assert (found.estimate, found.lower, found.upper, found.n) == (1, None, None, (3, 3))
        assert found.p == pytest.approx(1 / 64)
        assert rules.share_above([1, 0], 0.5).p == pytest.approx(0.75)

    def test_a_spread(self) -> None:
        found = rules.spread_below([1.0, 2.0, 3.0], 2)
        assert found.estimate == pytest.approx(1)
        assert found.p == pytest.approx(stats.chi2.cdf(2 / 4, 2))

    def test_an_order_has_those_of_the_pair_that_it_hangs_on(self) -> None:
        found = rules.order([[9, 8, 7], A, B])
        assert found.estimate == pytest.approx(3 - 3.5 / 3)
        assert found.n == (3, 3, 3)

    def test_exact_has_none(self) -> None:
        assert numbers(rules.exact(3, 3)) == {}

    def test_they_are_json(self) -> None:
        told = numbers(rules.greater([1.0, 1.0], [0.0, 0.0]))
        assert told["p"] == 0
        assert told["n"] == [2, 2]
        wide = numbers(Decision(Verdict.REFUTED, "", estimate=math.inf, p=math.nan, n=(2,)))
        assert (wide["estimate"], wide["p"]) == (None, None)

    def test_they_reach_the_judgment(self) -> None:
        court = Court()
        court.judge.greater(court.a, court.b)
        assert court.judgment.decision == numbers(rules.greater(VALUES["a"][:3], VALUES["b"][:3]))
        assert court.judgment.decision["level"] == nominal("difference", 3)


def sample(label: str) -> Computed:
    return Computed(label, float)


GREATER = Question("greater(0)", rules.greater, "difference")
RATIO = Question("ratio(1)", rules.ratio, "difference")
SOONER = Question("sooner", rules.sooner, "difference")


def bounded(lower: float, upper: float) -> Decision:
    return Decision(Verdict.SUPPORTED, "", lower=lower, upper=upper, n=(3, 3))


class TestSize:
    REPORTED: ClassVar[dict[str, float]] = {"a": 0.9, "b": 0.8}

    @pytest.mark.parametrize(
        ("lower", "upper", "expected"),
        [
            (0.051, 0.2, "at least half"),
            (0.049, 0.2, "open"),
            (-1, 0.051, "open"),
            (-1, 0.049, "less than half"),
        ],
    )
    def test_by_the_bounds_of_the_look(self, lower: float, upper: float, expected: str) -> None:
        samples = [sample("a"), sample("b")]
        assert size(GREATER, samples, self.REPORTED, bounded(lower, upper)) == expected

    def test_a_report_that_contradicts_itself_has_no_effect_to_hold_it_to(self) -> None:
        samples = [sample("b"), sample("a")]
        assert size(GREATER, samples, self.REPORTED, bounded(0.06, 0.2)) == ""
        assert size(GREATER, samples, {"a": 0.9}, bounded(0.06, 0.2)) == ""
        assert size(GREATER, samples, {}, bounded(0.06, 0.2)) == ""

    @pytest.mark.parametrize(
        ("lower", "upper", "expected"),
        [(2.01, 9, "at least half"), (1.99, 9, "open"), (0.5, 1.99, "less than half")],
    )
    def test_of_a_ratio_half_is_its_root(self, lower: float, upper: float, expected: str) -> None:
        samples = [sample("a"), sample("b")]
        assert size(RATIO, samples, {"a": 8, "b": 2}, bounded(lower, upper)) == expected
        timing = Timing(1.0, {}, "", "")
        timed = Timed("time of a / b", lambda seed: timing, ("a", "b"))
        question = Question("ratio(1), timed", rules.ratio_above, "one mean")
        seconds = {"a, s per epoch": 8, "b, s per epoch": 2}
        assert size(question, [timed], seconds, bounded(lower, upper)) == expected
        assert size(question, [timed], {"time of a / b": 4}, bounded(lower, upper)) == expected

    def test_of_epochs_it_is_how_many_are_saved(self) -> None:
        samples = [sample("a"), sample("b")]
        assert size(SOONER, samples, {"a": 9, "b": 19}, bounded(5.1, 9)) == "at least half"
        assert size(SOONER, samples, {"a": 19, "b": 9}, bounded(5.1, 9)) == ""

    def test_of_pairs_it_is_the_difference_or_that_of_its_arms(self) -> None:
        court = Court()
        question = Question("greater(0), paired", rules.above, "one mean")
        difference = court.a - court.b
        for reported in ({"a − b": 0.1}, self.REPORTED):
            assert size(question, [difference], reported, bounded(0.06, 1)) == "at least half"

    def test_what_bounds_no_effect_has_none(self) -> None:
        level = Question("level(0.9, 0.1)", rules.level, "one mean", "absolute")
        assert size(level, [sample("a")], self.REPORTED, bounded(0.06, 1)) == ""
        assert size(GREATER, [sample("a"), sample("b")], self.REPORTED, rules.exact(1, 1)) == ""

    def test_at_full_scale_alone(self) -> None:
        for scale, expected in (("full", "at least half"), ("smoke", "")):
            court = Court(scale=scale, reported={"a": 0.9, "b": 0.8})
            court.judge.greater(court.a, court.b)
            assert court.judgment.size == expected


class TestOwnRuns:
    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            ([0.9, 0.91, 0.92], [0.8, 0.81, 0.82], "supported"),
            ([0.8, 0.81, 0.82], [0.9, 0.91, 0.92], "refuted"),
            ([0.8, 0.9], [0.8, 0.9], "inconclusive"),
            (0.9, 0.8, "one run"),
            ([0.9, 0.91], 0.8, "one run"),
        ],
    )
    def test_the_same_rule_on_them(self, a: Reported, b: Reported, expected: str) -> None:
        samples = [sample("a"), sample("b")]
        assert own_runs(GREATER, samples, {"a": a, "b": b}) == expected
        assert own_runs(GREATER, samples, {"a": a}) == ""

    def test_one_look_at_five_percent(self) -> None:
        # t(0.95, 2) / sqrt(3) = 1.68585, where three looks would ask for 2.72.
        question = Question("level(> 0.3)", lambda x, alpha: rules.above(x, 0.3, alpha), "one mean")
        assert own_runs(question, [sample("a")], {"a": [1, 2, 3]}) == "supported"

    def test_a_rule_without_chance_has_none(self) -> None:
        exact = Question("exact", rules.exact, None)
        assert own_runs(exact, [sample("a")], {"a": [1, 2]}) == ""

    def test_a_rule_on_counts_has_none(self) -> None:
        rate = Question("rate", rules.rate, "rate")
        samples = [sample("a"), sample("b")]
        assert own_runs(rate, samples, {"a": [0.5, 0.6], "b": [0.1, 0.2]}) == ""

    def test_they_change_no_verdict(self) -> None:
        court = Court(reported={"a": [0.1, 0.2, 0.1], "b": [0.9, 0.8, 0.9]})
        court.judge.greater(court.a, court.b)
        assert court.judgment.verdict is Verdict.SUPPORTED
        assert court.judgment.own_runs == "refuted"

    def test_their_mean_is_what_is_reported(self) -> None:
        assert mean_reported([1, 2, 6]) == 3
        assert mean_reported(2) == 2


class TestRuleDigest:
    def test_a_rule_its_margin_and_its_looks(self) -> None:
        looks: Sequence[int] = (3, 5, 8)
        other = [
            (Question("greater(0.1)", rules.greater, "difference"), looks),
            (Question("greater(0)", rules.greater, "one mean"), looks),
            (Question("greater(0)", rules.greater, "difference", "a gap"), looks),
            (GREATER, (3, 5, 8, 13)),
            (GREATER, (3, 5, 9)),
        ]
        digests = {rule_digest(*pair) for pair in ((GREATER, looks), *other)}
        assert len(digests) == len(other) + 1
        assert rule_digest(GREATER, looks) == rule_digest(GREATER, looks)

    def test_levels_and_guards(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = rule_digest(GREATER, (3, 5, 8))
        with monkeypatch.context() as patch:
            patch.setattr("cvclaims.verdict.levels.NOMINAL", {**NOMINAL, "difference": (0.05,) * 5})
            assert rule_digest(GREATER, (3, 5, 8)) != before
        monkeypatch.setattr("cvclaims.verdict.beside.GUARDS", {"V1": (1 / 20, 4)})
        assert rule_digest(GREATER, (3, 5, 8)) != before
