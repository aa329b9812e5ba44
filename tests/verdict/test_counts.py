"""Rules on runs that fail or not, on spreads, and on ratios: by hand, against scipy, and the null.

How often the rules on counts err is worked out over all outcomes, not simulated.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from cvclaims.plan import LOOKS
from cvclaims.verdict import Decision, Verdict, calibration, rules, statistics
from cvclaims.verdict.calibration import NOISES
from cvclaims.verdict.levels import nominal

S, R, I = Verdict.SUPPORTED, Verdict.REFUTED, Verdict.INCONCLUSIVE  # noqa: E741
NAN = math.nan
relaxed = settings(deadline=None)


def flags(k: int, n: int) -> list[int]:
    return [1] * k + [0] * (n - k)


class TestRate:
    @pytest.mark.parametrize(
        ("k", "n", "j", "m", "verdict"),
        [
            (3, 3, 0, 3, S),  # both p are sup p³ (1 - p)³ = 1/64 = 0.0156
            (0, 3, 3, 3, R),
            (3, 3, 1, 3, I),
            (2, 2, 0, 2, I),  # 1/16
            (1, 1, 0, 1, I),  # 1/4: one run of each shows nothing
            (0, 8, 0, 8, I),
            (8, 8, 8, 8, I),
            (5, 5, 9, 9, I),
        ],
    )
    def test_by_hand(self, k: int, n: int, j: int, m: int, verdict: Verdict) -> None:
        assert rules.rate(flags(k, n), flags(j, m)).verdict is verdict

    def test_its_p_value(self) -> None:
        assert statistics.boschloo_p(3, 3, 0, 3) == pytest.approx(1 / 64)
        assert statistics.boschloo_p(2, 2, 0, 2) == pytest.approx(1 / 16)

    @relaxed
    @given(n=st.integers(1, 8), m=st.integers(1, 8), data=st.data())
    def test_it_never_falls_behind_fisher(self, n: int, m: int, data: st.DataObject) -> None:
        """Boschloo's p value is below Fisher's: the same statistic, no longer conditioned."""
        k, j = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
        table = np.array([[k, j], [n - k, m - j]])
        fisher = stats.fisher_exact(table, alternative="greater").pvalue
        assert statistics.boschloo_p(k, n, j, m) <= fisher + 1e-9

    @relaxed
    @given(
        a=st.lists(st.integers(0, 1), min_size=1, max_size=8),
        b=st.lists(st.integers(0, 1), min_size=1, max_size=8),
    )
    def test_exchange_of_the_samples(self, a: list[int], b: list[int]) -> None:
        opposite = {S: R, R: S, I: I}
        assert rules.rate(b, a).verdict is opposite[rules.rate(a, b).verdict]

    def test_reasons(self) -> None:
        told = [rules.rate(flags(*a), flags(*b)) for a, b in (((3, 3), (0, 3)), ((1, 8), (7, 8)))]
        assert [decision.reason for decision in told] == [
            "3 of 3 against 0 of 3, p 0.0156 for more, decided below 0.0244",
            "1 of 8 against 7 of 8, p 0.00209 for fewer, decided below 0.0244",
        ]


class TestShare:
    @pytest.mark.parametrize(
        ("k", "n", "share", "verdict"),
        [
            (5, 5, 0.5, I),  # 1/32
            (6, 6, 0.5, S),  # 1/64
            (0, 6, 0.5, R),
            (1, 1, 0.99, I),
            (1, 1, 0.01, S),  # what has a chance of 1 in 100 happened at once
            (0, 1, 0.99, R),
            (3, 8, 0.5, I),
        ],
    )
    def test_by_hand(self, k: int, n: int, share: float, verdict: Verdict) -> None:
        assert rules.share_above(flags(k, n), share).verdict is verdict

    @relaxed
    @given(n=st.integers(1, 40), share=st.floats(0.01, 0.99), data=st.data())
    def test_as_scipy(self, n: int, share: float, data: st.DataObject) -> None:
        k = data.draw(st.integers(0, n))
        up, down = statistics.binomial_p(k, n, share)
        greater = stats.binomtest(k, n, share, alternative="greater").pvalue
        less = stats.binomtest(k, n, share, alternative="less").pvalue
        assert (float(up), float(down)) == pytest.approx((greater, less), rel=1e-9)

    def test_reason(self) -> None:
        reason = rules.share_above(flags(3, 3), 0.5).reason
        assert reason == "3 of 3, p 0.125 for more, decided below 0.0251; must exceed 0.5"

    @pytest.mark.parametrize("share", [0, 1, -0.1, NAN])
    def test_shares_out_of_range(self, share: float) -> None:
        with pytest.raises(ValueError, match="share must lie between 0 and 1"):
            rules.share_above([0, 1], share)
        with pytest.raises(ValueError, match="share must lie between 0 and 1"):
            rules.ratio_within([1, 1], share)


class TestSpread:
    # [1, 2, 3]: s = 1; χ²(0.95, 2) = 5.9915 and χ²(0.05, 2) = 0.10259: σ from 0.57776 to 4.41534
    @pytest.mark.parametrize(
        ("bound", "verdict"), [(4.416, S), (4.415, I), (1, I), (0.578, I), (0.577, R)]
    )
    def test_by_hand(self, bound: float, verdict: Verdict) -> None:
        assert rules.spread_below([1, 2, 3], bound, alpha=0.05).verdict is verdict

    @relaxed
    @given(
        x=st.lists(st.integers(-64, 64), min_size=2, max_size=8).filter(lambda x: len(set(x)) > 1),
        bound=st.integers(1, 64),
    )
    def test_as_chi_squared_says(self, x: list[int], bound: int) -> None:
        squares = (len(x) - 1) * np.var(x, ddof=1) / bound**2
        low, high = stats.chi2.cdf(squares, len(x) - 1), stats.chi2.sf(squares, len(x) - 1)
        alpha = nominal("deviation", 3)
        assume(min(abs(low - alpha), abs(high - alpha)) > 1e-9)
        expected = S if low < alpha else R if high < alpha else I
        assert rules.spread_below(x, bound).verdict is expected

    def test_without_spread_it_is_taken_as_it_stands(self) -> None:
        assert rules.spread_below([0.3] * 3, 0.01).verdict is S
        assert rules.spread_below([0.3, 0.1 + 0.2, 0.3], 1e-17).verdict is I

    def test_reasons(self) -> None:
        told = [rules.spread_below([1, 2, 3], bound) for bound in (9, 2, 0.1)]
        assert [decision.reason for decision in told] == [
            "standard deviation 1, at most 7.053 (n = 3); must stay below 9",
            "standard deviation 1, between 0.5053 and 7.053 (n = 3); must stay below 2",
            "standard deviation 1, at least 0.5053 (n = 3); must stay below 0.1",
        ]
        reason = rules.spread_below([2, 2], 1).reason
        assert reason == "standard deviation 0, without spread (n = 2); must stay below 1"


class TestRatios:
    @relaxed
    @given(
        logs=st.lists(st.integers(-64, 64), min_size=2, max_size=8).filter(
            lambda x: len(set(x)) > 1
        ),
        limit=st.integers(-32, 32),
    )
    def test_above_is_above_on_logarithms(self, logs: list[int], limit: int) -> None:
        x = [k / 64 for k in logs]
        alone = rules.above(x, limit / 64 + 0.001)
        assert rules.ratio_above(np.exp(x), math.exp(limit / 64 + 0.001)).verdict is alone.verdict

    def test_without_spread(self) -> None:
        found = [rules.ratio_above([1.1] * 3, factor).verdict for factor in (1, 1.1, 1.2)]
        assert found == [S, I, R]
        found = [
            rules.ratio_within([x] * 3, 0.05).verdict for x in (1, 1.04, 1.05, 1.06, 0.95, 0.94)
        ]
        assert found == [S, S, I, R, I, R]

    def test_within_lies_between_its_own_ends_not_around_1_on_logarithms(self) -> None:
        # Three ratios whose logarithms have a standard error of 0.01: bounds 0.04712 either side.
        step = 0.01 * math.sqrt(3)

        def around(middle: float) -> list[float]:
            return [math.exp(middle + k * step) for k in (-1, 0, 1)]

        low, high = math.log(0.5), math.log(1.5)
        assert rules.ratio_within(around(low + 0.048), 0.5).verdict is S
        assert rules.ratio_within(around(low + 0.047), 0.5).verdict is I
        assert rules.ratio_within(around(high - 0.048), 0.5).verdict is S
        assert rules.ratio_within(around(high - 0.047), 0.5).verdict is I
        assert rules.ratio_within(around(high + 0.048), 0.5).verdict is R
        assert rules.ratio_within(around(low - 0.048), 0.5).verdict is R

    def test_reasons(self) -> None:
        told = rules.ratio_above([2.0] * 3, 1.5), rules.ratio_within([1.25, 1.0, 0.8], 0.05)
        assert [decision.reason for decision in told] == [
            "ratio 2, without spread (n = 3); must exceed 1.5",
            "ratio 1, between 0.5449 and 1.835 (n = 3); must lie inside 1 ± 0.05; "
            "a factor of 2.1 beyond that would be shown four times in five",
        ]

    @pytest.mark.parametrize("odd", [0.0, -1.0])
    def test_what_is_no_ratio(self, odd: float) -> None:
        for rule in (rules.ratio_above, lambda x: rules.ratio_within(x, 0.1)):
            with pytest.raises(ValueError, match="have to be positive"):
                rule([1.0, odd, NAN])


COUNTED: list[Callable[[list[float]], Decision]] = [
    lambda x: rules.rate(x, [0, 0, 0]),
    lambda x: rules.rate([0, 0, 0], x),
    lambda x: rules.share_above(x, 0.5),
]
SPREAD: list[Callable[[list[float]], Decision]] = [
    lambda x: rules.spread_below(x, 1),
    rules.ratio_above,
    lambda x: rules.ratio_within(x, 0.1),
]


@pytest.mark.parametrize("rule", [*COUNTED, *SPREAD])
def test_odd_samples(rule: Callable[[list[float]], Decision]) -> None:
    with pytest.raises(ValueError, match="one value per seed"):
        rule([])
    decision = rule([1, NAN, 1])
    assert decision.verdict is I
    assert "1 of" in decision.reason
    assert "values not finite" in decision.reason


@pytest.mark.parametrize("rule", SPREAD)
def test_one_value_has_no_spread(rule: Callable[[list[float]], Decision]) -> None:
    assert rule([1]) == Decision(I, "one value has no spread (n = 1)")


@pytest.mark.parametrize("rule", COUNTED)
def test_a_run_fails_or_not(rule: Callable[[list[float]], Decision]) -> None:
    with pytest.raises(ValueError, match="0 or 1"):
        rule([0, 1, 0.5])


@pytest.mark.parametrize("alpha", [0, 0.5])
def test_levels_out_of_range(alpha: float) -> None:
    calls: list[Callable[[], Decision]] = [
        lambda: rules.rate([0, 1], [0, 1], alpha),
        lambda: rules.share_above([0, 1], 0.5, alpha),
        lambda: rules.spread_below([0, 1], 1, alpha),
        lambda: rules.ratio_above([1, 2], 1, alpha),
        lambda: rules.ratio_within([1, 2], 0.1, alpha),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="alpha must lie"):
            call()
    for size in (0, math.inf):
        with pytest.raises(ValueError, match="bound must be positive"):
            rules.spread_below([0, 1], size)
        with pytest.raises(ValueError, match="factor must be positive"):
            rules.ratio_above([1, 2], size)


class TestHowOftenTheyErr:
    """With the truth on the limit, over the three looks; docs/calibration.md has the numbers."""

    @pytest.mark.parametrize("each", [1, 3])
    @pytest.mark.parametrize("share", [0.05, 0.2, 0.3, 0.4, 0.5, 0.7, 0.95])
    def test_equal_rates_are_rarely_told_apart(self, share: float, each: int) -> None:
        rates = calibration.rate_rates(share, share, each)
        assert rates.supported == pytest.approx(rates.refuted)  # both ways alike
        assert rates.supported < 0.05

    @pytest.mark.parametrize("each", [1, 3, 8])
    @pytest.mark.parametrize("limit", [0.1, 0.25, 0.5, 0.75])
    def test_a_share_on_its_limit_is_rarely_decided(self, limit: float, each: int) -> None:
        assert max(calibration.share_rates(limit, limit, each)) < 0.05

    def test_rules_on_counts_decide_where_there_is_something_to_decide(self) -> None:
        assert calibration.rate_rates(1, 0) == (1, 0)
        assert calibration.rate_rates(0, 1) == (0, 1)
        assert calibration.rate_rates(0.9, 0.1).supported > 0.94
        assert calibration.rate_rates(0.7, 0.3, 3).supported > 0.80
        assert calibration.share_rates(1, 0.5) == (1, 0)
        assert calibration.share_rates(0.8, 0.5, 8).supported > 0.99

    def test_the_exact_rates_are_of_the_rules(self) -> None:
        """By trying every outcome of three looks: 2⁸ sequences of runs against a limit of 0.4."""
        supported = 0.0
        for code in range(2**8):
            runs = [code >> i & 1 for i in range(8)]
            looks = (rules.share_above(runs[:n], 0.4).verdict for n in LOOKS)
            first = next((verdict for verdict in looks if verdict is not I), I)
            supported += 0.6 ** sum(runs) * 0.4 ** (8 - sum(runs)) if first is S else 0.0
        assert calibration.share_rates(0.6, 0.4).supported == pytest.approx(supported)

    def test_a_spread_on_its_bound(self) -> None:
        rng = np.random.default_rng(7)
        rates = calibration.spread_rates(NOISES["Normal"], 100_000, rng)
        assert rates == pytest.approx((0.05, 0.041), abs=0.002)
        wide = calibration.spread_rates(NOISES["Normal"], 20_000, rng, scale=2)
        assert wide.supported < 0.01
        narrow = calibration.spread_rates(NOISES["Normal"], 20_000, rng, scale=1 / 3)
        assert narrow.supported > 0.95
        assert narrow.refuted == 0
