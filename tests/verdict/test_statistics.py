"""The numbers under the rules, against scipy, brute definitions and arithmetic done by hand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from cvclaims.verdict import statistics
from cvclaims.verdict.statistics import Estimate

relaxed = settings(deadline=None)  # other processes share the machine: time proves nothing

# Multiples of 1/64 add and double without rounding, so that equalities can be exact.
numbers = st.integers(-6400, 6400).map(lambda k: k / 64)
spread = st.lists(numbers, min_size=2, max_size=8).filter(lambda x: len(set(x)) > 1)
levels = st.sampled_from([0.0211, 0.05, 0.2])


def floats(*arrays: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(array) for array in arrays)


class TestMeanAndError:
    def test_by_hand(self) -> None:
        mean, error = statistics.mean_and_error([4, 1, 3, 2])
        assert mean == 2.5
        assert error == pytest.approx(math.sqrt((5 / 3) / 4), rel=1e-15)

    @relaxed
    @given(x=spread)
    def test_as_numpy(self, x: list[float]) -> None:
        mean, error = statistics.mean_and_error(x)
        assert mean == pytest.approx(np.mean(x), rel=1e-13, abs=1e-13)
        assert error == pytest.approx(np.std(x, ddof=1) / math.sqrt(len(x)), rel=1e-12)

    @pytest.mark.parametrize("value", [0.1, 0.1 + 0.2, 1e-310, -7e300, 0.0])
    @pytest.mark.parametrize("n", [2, 3, 5, 8])
    def test_identical_values_give_themselves_and_zero(self, value: float, n: int) -> None:
        assert floats(*statistics.mean_and_error([value] * n)) == (value, 0.0)

    @relaxed
    @given(x=st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8), data=st.data())
    def test_order_changes_no_bit(self, x: list[float], data: st.DataObject) -> None:
        shuffled = data.draw(st.permutations(x))
        assert statistics.mean_and_error(shuffled) == statistics.mean_and_error(x)

    @pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e307])
    def test_squares_neither_overflow_nor_vanish(self, scale: float) -> None:
        mean, error = statistics.mean_and_error([scale, 2 * scale, 3 * scale])
        assert mean == pytest.approx(2 * scale, rel=1e-14)
        assert error == pytest.approx(scale / math.sqrt(3), rel=1e-14)

    @pytest.mark.parametrize("x", [[1.0], [[1.0], [2.0]]])
    def test_one_value_has_no_spread(self, x: list[float]) -> None:
        with pytest.raises(ValueError, match="at least two values"):
            statistics.mean_and_error(x)


class TestWelch:
    def test_by_hand(self) -> None:
        # u = 1/3, v = (20/3)/4 = 5/3; df = 4 / ((1/9)/2 + (25/9)/3) = 216/53
        estimate = statistics.welch([1, 2, 3], [2, 4, 6, 8])
        assert estimate.value == -3
        assert estimate.error == pytest.approx(math.sqrt(2), rel=1e-15)
        assert estimate.df == pytest.approx(216 / 53, rel=1e-15)

    @pytest.mark.parametrize(("n", "df"), [(2, 2), (3, 4), (8, 14)])
    def test_equal_spread_and_size_give_the_pooled_degrees_of_freedom(
        self, n: int, df: int
    ) -> None:
        x = np.arange(n)
        assert statistics.welch(x, x + 5).df == pytest.approx(df, rel=1e-14)

    def test_spread_on_one_side_leaves_that_side_its_degrees_of_freedom(self) -> None:
        estimate = statistics.welch([1, 2, 3, 4, 5], [7, 7, 7])
        assert estimate.df == pytest.approx(4, rel=1e-14)
        assert estimate.error == pytest.approx(math.sqrt(2.5 / 5), rel=1e-14)

    @relaxed
    @given(a=spread, b=spread)
    def test_exchanging_the_samples_changes_the_sign_alone(
        self, a: list[float], b: list[float]
    ) -> None:
        one, other = statistics.welch(a, b), statistics.welch(b, a)
        assert other == one._replace(value=-one.value)

    @relaxed
    @given(a=spread, b=spread, limit=numbers)
    def test_p_values_as_scipy(self, a: list[float], b: list[float], limit: float) -> None:
        up, down = statistics.p_values(statistics.welch(a, b), limit)
        moved = np.subtract(a, limit)
        greater = stats.ttest_ind(moved, b, equal_var=False, alternative="greater").pvalue
        less = stats.ttest_ind(moved, b, equal_var=False, alternative="less").pvalue
        assert floats(up, down) == pytest.approx((greater, less), rel=1e-8, abs=1e-12)

    @relaxed
    @given(a=spread, b=spread, alpha=levels)
    def test_bounds_as_scipy(self, a: list[float], b: list[float], alpha: float) -> None:
        theirs = stats.ttest_ind(a, b, equal_var=False).confidence_interval(1 - 2 * alpha)
        ours = statistics.bounds(statistics.welch(a, b), alpha)
        assert ours == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-9)


class TestOneMean:
    def test_by_hand(self) -> None:
        estimate = statistics.one_mean([1, 2, 3])
        lower, upper = statistics.bounds(estimate, 0.05)
        assert floats(estimate.value, estimate.df) == (2, 2)
        # t(0.95, 2) = 2.9200 and the error is 1/sqrt(3) = 0.57735
        assert (lower, upper) == pytest.approx((2 - 1.68586, 2 + 1.68586), abs=1e-5)

    @relaxed
    @given(x=spread, limit=numbers, alpha=levels)
    def test_as_scipy(self, x: list[float], limit: float, alpha: float) -> None:
        estimate = statistics.one_mean(x)
        both = stats.ttest_1samp(x, limit).confidence_interval(1 - 2 * alpha)
        up, down = statistics.p_values(estimate, limit)
        assert statistics.bounds(estimate, alpha) == pytest.approx(tuple(both), rel=1e-9, abs=1e-9)
        assert up == pytest.approx(stats.ttest_1samp(x, limit, alternative="greater").pvalue)
        assert down == pytest.approx(stats.ttest_1samp(x, limit, alternative="less").pvalue)


class TestSigns:
    @relaxed
    @given(a=spread, b=spread, limit=numbers, alpha=levels)
    def test_bounds_and_p_values_agree(
        self, a: list[float], b: list[float], limit: float, alpha: float
    ) -> None:
        estimate = statistics.welch(a, b)
        up, down = statistics.p_values(estimate, limit)
        assume(min(abs(up - alpha), abs(down - alpha)) > 1e-9)
        expected = int(up < alpha) - int(down < alpha)
        assert statistics.side(estimate, limit, alpha) == expected

    @pytest.mark.parametrize("centre", [0.0, 10.0])
    @pytest.mark.parametrize(
        ("off", "expected"),
        [(0, 1), (1.9, 1), (2.1, 0), (3, 0), (3.9, 0), (4.1, -1), (-1.9, 1), (-3.9, 0), (-4.1, -1)],
    )
    def test_inside_by_hand(self, centre: float, off: float, expected: int) -> None:
        """With one degree of freedom t(0.75) = 1: bounds 1 either side, against centre ± 3."""
        one = np.array(1.0)
        estimate = Estimate(np.array(centre + off), one, one, 0 * one)
        assert statistics.inside(estimate, centre, 3, 0.25) == expected

    @pytest.mark.parametrize(
        ("up", "expected"),
        [
            ([0.01, 0.02, 0.04], 1),  # 0.03, 0.04, 0.04: step-down; Bonferroni would not do
            ([0.01, 0.03, 0.04], 0),  # 0.03, 0.06, 0.06
            ([0.02, 0.02, 0.02], 0),  # 0.06 each
            ([0.05], 0),  # not below 0.05
        ],
    )
    def test_an_order_needs_every_pair(self, up: list[float], expected: int) -> None:
        down = np.subtract(1, up)
        assert statistics.ordered(up, down, 0.05) == expected
        assert statistics.ordered(down, up, 0.05) == -int(min(up) * len(up) < 0.05)

    def test_one_pair_refutes_an_order(self) -> None:
        assert statistics.ordered([0.001, 0.99, 0.001], [0.999, 0.01, 0.999], 0.05) == -1
        assert statistics.ordered([0.001, 0.98, 0.001], [0.999, 0.02, 0.999], 0.05) == 0


class TestHolm:
    def test_by_hand(self) -> None:
        assert statistics.holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
        assert statistics.holm([0.9, 0.6]).tolist() == [1.0, 1.0]

    @relaxed
    @given(p=st.lists(st.floats(0, 1), min_size=1, max_size=6))
    def test_as_closed_testing(self, p: list[float]) -> None:
        """Holm's procedure is Bonferroni's test of every set of hypotheses (Marcus et al. 1976)."""
        sets = [s for k in range(len(p)) for s in itertools.combinations(range(len(p)), k + 1)]
        brute = [
            max(min(1.0, len(s) * min(p[j] for j in s)) for s in sets if i in s)
            for i in range(len(p))
        ]
        assert statistics.holm(p) == pytest.approx(brute, rel=1e-14)

    def test_each_row_by_itself(self) -> None:
        p = np.random.default_rng(5).random((4, 3, 5)) / 5
        rows = [statistics.holm(row) for row in p.reshape(-1, 5)]
        assert np.array_equal(statistics.holm(p), np.reshape(rows, p.shape))


class TestRounding:
    def test_a_difference_within_rounding_of_the_limit_is_equal_to_it(self) -> None:
        estimate = statistics.welch([0.9] * 3, [0.8] * 3)
        assert estimate.value != 0.1
        assert statistics.side(estimate, 0.1, 0.0211) == 0
        assert floats(*statistics.p_values(estimate, 0.1)) == (1, 1)

    def test_no_more_than_rounding_is_forgiven(self) -> None:
        estimate = statistics.welch([0.9] * 3, [0.8] * 3)
        assert statistics.side(estimate, 0.1 - 1e-14, 0.0211) == 1
        assert statistics.side(estimate, 0.1 + 1e-14, 0.0211) == -1
        assert floats(*statistics.p_values(estimate, 0.1 - 1e-14)) == (0, 1)
        assert floats(*statistics.p_values(estimate, 0.1 + 1e-14)) == (1, 0)

    def test_zeros_are_equal_to_zero(self) -> None:
        estimate = statistics.welch([0.0] * 3, [0.0] * 3)
        assert statistics.side(estimate, 0.0, 0.0211) == 0
        assert floats(*statistics.p_values(estimate, 0.0)) == (1, 1)

    def test_more_rounding_can_be_allowed_for_never_less(self) -> None:
        estimate = statistics.one_mean([1.0, 1.0])
        assert statistics.at_magnitude(estimate, -1e6).rounding == 1e6 * statistics.ROUNDING
        assert statistics.at_magnitude(estimate, 0.5) == estimate


@pytest.mark.parametrize("function", [statistics.welch, lambda a, b: statistics.one_mean(a)])
def test_leading_axes_are_independent_data_sets(
    function: Callable[[npt.ArrayLike, npt.ArrayLike], Estimate],
) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 4, 5)), rng.normal(size=(2, 4, 3))
    together = function(a, b)
    for index in np.ndindex(2, 4):
        alone = function(a[index], b[index])
        expected = pytest.approx(floats(*alone), rel=1e-14)
        assert floats(*(field[index] for field in together)) == expected
        assert statistics.side(alone, 0, 0.2) == statistics.side(together, 0, 0.2)[index]
        assert statistics.inside(alone, 0, 1, 0.2) == statistics.inside(together, 0, 1, 0.2)[index]


@relaxed
@given(
    a=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=5),
    b=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=5),
    limit=st.floats(allow_nan=False, allow_infinity=False),
)
def test_no_finite_value_warns(a: list[float], b: list[float], limit: float) -> None:
    """Warnings are errors in this suite; a sign comes out whatever overflowed on the way."""
    for estimate in (statistics.welch(a, b), statistics.one_mean(a)):
        assert statistics.side(estimate, limit, 0.0211) in (-1, 0, 1)
        assert len(statistics.p_values(estimate, limit)) == 2
