"""Samples that no textbook has: empty, single, infinite, without spread; and what is said."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cvclaims.verdict import Decision, Verdict, rules
from cvclaims.verdict.rules import Values

S, R, I = Verdict.SUPPORTED, Verdict.REFUTED, Verdict.INCONCLUSIVE  # noqa: E741
NAN, INF, TINY = float("nan"), float("inf"), float(np.finfo(np.float32).tiny)

PAIRED: dict[str, Callable[[Values, Values], Decision]] = {
    "greater": rules.greater,
    "not_worse": lambda a, b: rules.not_worse(a, b, 1),
    "ratio": rules.ratio,
    "sooner": rules.sooner,
    "order": lambda a, b: rules.order([a, b]),
}
SINGLE: dict[str, Callable[[Values], Decision]] = {
    "level": lambda x: rules.level(x, 0, 1),
    "above": lambda x: rules.above(x, 0),
    "below": lambda x: rules.below(x, 0),
}
paired = pytest.mark.parametrize("rule", PAIRED.values(), ids=PAIRED)
single = pytest.mark.parametrize("rule", SINGLE.values(), ids=SINGLE)


@paired
class TestPaired:
    def test_one_value(self, rule: Callable[[Values, Values], Decision]) -> None:
        for a, b in (([1], [2, 3]), ([2, 3], [1]), ([1], [1])):
            decision = rule(a, b)
            assert decision.verdict is I
            assert decision.reason == f"one value has no spread (n = {len(a)}, {len(b)})"

    def test_none(self, rule: Callable[[Values, Values], Decision]) -> None:
        for a, b in (([], [1, 2]), ([1, 2], []), ([], []), ([], [NAN, 1])):
            with pytest.raises(ValueError, match="one value per seed"):
                rule(a, b)

    @pytest.mark.parametrize("odd", [NAN, INF])
    def test_not_finite(self, rule: Callable[[Values, Values], Decision], odd: float) -> None:
        decision = rule([1, odd, 3], [odd, 5])
        assert decision == Decision(I, "2 of 5 values not finite (n = 3, 2)")
        assert rule([9, 8, 7], [1, 2, odd]).verdict is I

    def test_a_table_is_no_sample(self, rule: Callable[[Values, Values], Decision]) -> None:
        with pytest.raises(ValueError, match=r"one value per seed is needed, got shape \(2, 2\)"):
            rule(np.ones((2, 2)), [1, 2])

    def test_integers_and_arrays(self, rule: Callable[[Values, Values], Decision]) -> None:
        a, b = [5, 6, 7], [1, 2, 2]
        decision = rule([float(x) for x in a], [float(x) for x in b])
        assert rule(a, b) == decision
        assert rule(tuple(a), np.array(b)) == decision
        assert rule(np.array(a, dtype=np.float32), np.array(b, dtype=np.int16)) == decision
        assert a == [5, 6, 7]


@single
class TestSingle:
    def test_one_value(self, rule: Callable[[Values], Decision]) -> None:
        assert rule([5]) == Decision(I, "one value has no spread (n = 1)")

    def test_none(self, rule: Callable[[Values], Decision]) -> None:
        with pytest.raises(ValueError, match="one value per seed"):
            rule([])

    @pytest.mark.parametrize("odd", [NAN, INF, -INF])
    def test_not_finite(self, rule: Callable[[Values], Decision], odd: float) -> None:
        assert rule([odd, 1, 1]) == Decision(I, "1 of 3 values not finite (n = 3)")
        assert rule([odd]).verdict is I


class TestWithoutSpread:
    """Taken as it stands beyond the limit; exactly at it, decimals notwithstanding, open."""

    @pytest.mark.parametrize(
        ("a", "b", "margin", "verdict"),
        [
            (0.3, 0.2, 0.05, S), (0.3, 0.2, 0.15, R), (0.3, 0.2, 0.1, I), (0.9, 0.8, 0.1, I),
            (0.3, 0.1 + 0.2, 0.0, I), (0.1 + 0.2, 0.3, 0.0, I), (1e9 + 1, 1e9, 0.0, S),
            (0.0, 0.0, 0.0, I), (0.2, 0.3, -0.1, I),
        ],
    )  # fmt: skip
    def test_greater(self, a: float, b: float, margin: float, verdict: Verdict) -> None:
        assert rules.greater([a] * 3, [b] * 5, margin).verdict is verdict

    def test_spread_by_rounding_alone_gives_no_confidence(self) -> None:
        assert rules.greater([0.3, 0.1 + 0.2, 0.1 + 0.2], [0.3] * 3).verdict is I
        assert rules.greater([0.3, 0.1 + 0.2, 0.1 + 0.2], [0.3 - 5e-17] * 3).verdict is I
        assert rules.greater([0.3, 0.1 + 0.2, 0.3], [0.2] * 3, 0.1).verdict is I
        assert rules.above([0.3, 0.1 + 0.2, 0.1 + 0.2], 0.3).verdict is I
        assert rules.order([[0.1 + 0.2] * 3, [0.3] * 3]).verdict is I

    def test_spread_on_one_side_is_ordinary_welch(self) -> None:
        # error 1/sqrt(3), df 2: the bound is t(0.9806, 2) · 0.57735 = 2.84506 away
        assert rules.greater([1, 2, 3], [-0.846] * 4).verdict is S
        assert rules.greater([1, 2, 3], [-0.845] * 4).verdict is I
        assert rules.greater([4.846] * 4, [1, 2, 3]).verdict is S
        assert rules.greater([4.845] * 4, [1, 2, 3]).verdict is I

    def test_the_other_rules(self) -> None:
        third = [0.1 + 0.2] * 3
        assert [rules.above(third, b).verdict for b in (0.29, 0.3, 0.31)] == [S, I, R]
        assert [rules.below(third, b).verdict for b in (0.29, 0.3, 0.31)] == [R, I, S]
        found = [rules.level(third, v, 0.1).verdict for v in (0.3, 0.39, 0.4, 0.41, 0.2, 0.19)]
        assert found == [S, S, I, R, I, R]
        assert rules.level([0.0] * 3, 0.3, 0.1 + 0.2).verdict is I
        found = [rules.not_worse(third, [0.4] * 3, d).verdict for d in (0.11, 0.1, 0.09)]
        assert found == [S, I, R]
        assert [rules.sooner([e] * 3, [7] * 3).verdict for e in (6, 7, 8)] == [S, I, R]
        found = [rules.ratio([3.3] * 3, [3.0] * 3, f).verdict for f in (1.09, 1.1, 1.11)]
        assert found == [S, I, R]
        assert rules.ratio([1 + 1e-15] * 3, [1.0] * 3).verdict is I
        assert rules.order([[3] * 3, [2] * 3, [1] * 3]).verdict is S
        assert rules.order([[3] * 3, [1] * 3, [1] * 3]).verdict is I
        assert rules.order([[3] * 3, [1] * 3, [2] * 3]).verdict is R


class TestRatioOfZeros:
    def test_a_zero_is_the_smallest_normal_float32(self) -> None:
        assert rules.SMALLEST == TINY
        zero, small = rules.ratio([1, 2, 3], [0] * 3), rules.ratio([1, 2, 3], [TINY] * 3)
        assert zero.verdict is small.verdict is S
        assert zero.reason == small.reason + "; 3 below 1.18e-38 taken for it"

    def test_a_zero_never_ranks_above_a_denormal(self) -> None:
        assert rules.ratio([0] * 3, [1e-44] * 3).verdict is I
        assert rules.ratio([0] * 3, [1e-30] * 3).verdict is R

    def test_all_zero_is_open(self) -> None:
        assert rules.ratio([0] * 3, [0] * 3).verdict is I

    @pytest.mark.parametrize("odd", [-1.0, -1e-300, -INF])
    def test_negative(self, odd: float) -> None:
        for a, b in (([1, odd], [1, 2]), ([1, 2], [NAN, odd])):
            with pytest.raises(ValueError, match="not negative"):
                rules.ratio(a, b)

    def test_an_infinite_bound_on_a_logarithm_is_no_failure(self) -> None:
        decision = rules.ratio([1e300, 1e-30], [1e-30, 1e300])
        assert decision.verdict is I
        assert "between 0 and inf" in decision.reason


@pytest.mark.parametrize("alpha", [0, 0.5, 0.95, -0.1, NAN])
def test_levels_out_of_range(alpha: float) -> None:
    a = [1.0, 2.0]
    calls: list[Callable[[], Decision]] = [
        lambda: rules.greater(a, a, 0, alpha),
        lambda: rules.not_worse(a, a, 1, alpha),
        lambda: rules.level(a, 0, 1, alpha),
        lambda: rules.above(a, 0, alpha),
        lambda: rules.below(a, 0, alpha),
        lambda: rules.ratio(a, a, 1, alpha),
        lambda: rules.sooner(a, a, alpha),
        lambda: rules.order([a, a], alpha),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"alpha must lie between 0 and 0\.5"):
            call()


@pytest.mark.parametrize("size", [0, -1, NAN, INF])
def test_sizes_that_are_not_positive(size: float) -> None:
    calls: list[tuple[Callable[[], Decision], str]] = [
        (lambda: rules.not_worse([1, 2], [1, 2], size), "delta"),
        (lambda: rules.level([1, 2], 0, size), "delta"),
        (lambda: rules.ratio([1, 2], [1, 2], size), "factor"),
    ]
    for call, name in calls:
        with pytest.raises(ValueError, match=f"{name} must be positive"):
            call()


@pytest.mark.parametrize("limit", [NAN, INF, -INF])
def test_limits_that_are_not_finite(limit: float) -> None:
    calls: list[Callable[[], Decision]] = [
        lambda: rules.greater([1, 2], [1, 2], limit),
        lambda: rules.level([1, 2], limit, 1),
        lambda: rules.above([1, 2], limit),
        lambda: rules.below([1, 2], limit),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="must be finite"):
            call()


@pytest.mark.parametrize("groups", [[], [[1, 2, 3]]])
def test_an_order_of_fewer_than_two(groups: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="at least two groups"):
        rules.order(groups)


def test_an_order_with_one_unusable_group_is_open() -> None:
    assert rules.order([[3, 3.1], [9, 9.1], [1]]).verdict is I
    assert rules.order([[3, 3.1], [9, 9.1], [1, NAN]]).reason.startswith("1 of 6 values not finite")


class TestExact:
    @pytest.mark.parametrize(
        ("measured", "reported"),
        [
            (3, 3), (np.int64(33_646_666), 33_646_666), ("relu", "relu"), ([1, 2], (1, 2)),
            ((1, [2, ("a", 3)]), [1, (2, ["a", 3])]), (range(3), [0, 1, 2]), ((), []),
        ],
    )  # fmt: skip
    def test_equal(self, measured: object, reported: object) -> None:
        assert rules.exact(measured, reported).verdict is S
        assert rules.exact(reported, measured).verdict is S

    @pytest.mark.parametrize(
        ("measured", "reported"),
        [(3, 4), (3, "3"), ((1, 2), (2, 1)), ([1], 1), ([1, 2], [1]), ("ab", ["a", "b"]), ((), 0)],
    )
    def test_unequal(self, measured: object, reported: object) -> None:
        assert rules.exact(measured, reported).verdict is R
        assert rules.exact(reported, measured).verdict is R

    @pytest.mark.parametrize(
        "odd", [1.0, True, None, np.float32(1), np.bool_(True), {1}, {1: 2}, b"a", np.arange(2), 1j]
    )
    def test_what_is_not_exact(self, odd: object) -> None:
        for wrapped in (odd, [odd], (1, ["a", odd])):
            with pytest.raises(TypeError, match=type(odd).__name__):
                rules.exact(wrapped, 1)
            with pytest.raises(TypeError, match=type(odd).__name__):
                rules.exact(1, wrapped)

    def test_both_are_told(self) -> None:
        assert rules.exact([64, 3], (64, 5)).reason == "measured (64, 3), reported (64, 5)"
        assert rules.exact(np.int32(7), 7).reason == "measured 7, as reported"


class TestReasons:
    """The line tells the estimate, the bound that decided, the limit and n."""

    def test_bounds(self) -> None:
        a, b = [2, 3, 4], [0, 1, 2]
        told = [
            rules.greater(a, b, -1),
            rules.greater(a, b, 5),
            rules.not_worse(a, b, 0.1),
            rules.level([1, 2, 3], 2, 4),
            rules.below([1, 2, 3], 5),
            rules.sooner([20, 21], [11, 12, 10]),
            rules.ratio([2, 2.1, 2.2], [1, 1.1, 1.0], 4),
            rules.order([[9, 8, 7], a, b]),
            rules.order([b, [6, 7, 8]]),
        ]
        assert [decision.reason for decision in told] == [
            "difference 2, at least -0.4736 (n = 3, 3); must exceed -1",
            "difference 2, at most 4.474 (n = 3, 3); must exceed 5",
            "difference 2, between -0.4736 and 4.474 (n = 3, 3); must exceed -0.1; "
            "3.24 beyond that would be shown four times in five",
            "mean 2, between -0.7208 and 4.721 (n = 3); must lie inside 2 ± 4",
            "mean 2, at most 4.721 (n = 3); must stay below 5",
            "epochs saved -9.5, at most -6.738 (n = 2, 3); must exceed 0",
            "ratio 2.033, at most 2.311 (n = 3, 3); must exceed 4",
            "weakest pair: groups 2 and 3, difference 2, Holm-adjusted p 0.0352 (n = 3, 3, 3); "
            "must stay below 0.0194",
            "other way round: groups 1 and 2, difference -6, Holm-adjusted p 0.000913 (n = 3, 3); "
            "must stay below 0.0194",
        ]

    def test_the_pair_that_refutes_an_order_is_named(self) -> None:
        reason = rules.order([[9, 8, 7], [0, 1, 2], [6, 7, 8]]).reason
        assert reason.startswith("other way round: groups 2 and 3, difference -6,")

    def test_no_rounding_residue(self) -> None:
        reason = rules.greater([0.3] * 3, [0.1 + 0.2] * 3).reason
        assert reason == "difference 0, without spread (n = 3, 3); must exceed 0"

    def test_a_bound_close_to_the_limit_gets_the_digits_that_tell_them_apart(self) -> None:
        reason = rules.above([0.500012] * 3, 0.5).reason
        assert reason == "mean 0.500012, without spread (n = 3); must exceed 0.5"
        reason = rules.above([1234.5678] * 3, 1234.5).reason
        assert reason == "mean 1235, without spread (n = 3); must exceed 1234.5"
