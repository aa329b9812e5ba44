"""The judge: by hand, against scipy, by symmetry, and on odd input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from cvclaims.verdict import Verdict, rules
from cvclaims.verdict.levels import nominal
from cvclaims.verdict.rules import Values

S, R, I = Verdict.SUPPORTED, Verdict.REFUTED, Verdict.INCONCLUSIVE  # noqa: E741
OPPOSITE = {S: R, R: S, I: I}

relaxed = settings(deadline=None)  # other processes share the machine: time proves nothing

# Multiples of 1/64 add and double without rounding. A centre of its own for every sample makes
# decisions of both kinds common.
sixty_fourths = st.integers(-64, 64).map(lambda k: k / 64)
samples = st.builds(
    lambda centre, x: [centre + value for value in x],
    st.integers(-3, 3),
    st.lists(sixty_fourths, min_size=2, max_size=8),
)
spread = samples.filter(lambda x: len(set(x)) > 1)
margins = st.integers(-128, 128).map(lambda k: k / 64)
positive = st.integers(1, 256).map(lambda k: k / 64)
levels = st.sampled_from([nominal("difference", 3), 0.05, 0.2])

A, B, C = [2, 3, 4], [0, 1, 2], [2, 4, 6, 8]


def expected(p_supported: float, p_refuted: float, alpha: float) -> Verdict:
    """What two p values say; a p value at alpha itself is left to rounding."""
    assume(abs(p_supported - alpha) > 1e-9)
    assume(abs(p_refuted - alpha) > 1e-9)
    return S if p_supported < alpha else R if p_refuted < alpha else I


def welch_p(a: Sequence[float], b: Sequence[float], margin: float) -> tuple[float, float]:
    """Scipy's p values for mean(a) - mean(b) above, and below, the margin."""
    moved = [value - margin for value in a]
    up = stats.ttest_ind(moved, b, equal_var=False, alternative="greater")
    down = stats.ttest_ind(moved, b, equal_var=False, alternative="less")
    return float(up.pvalue), float(down.pvalue)


def student_p(x: Sequence[float], bound: float) -> tuple[float, float]:
    """Scipy's p values for mean(x) above, and below, the bound."""
    up = stats.ttest_1samp(x, bound, alternative="greater")
    down = stats.ttest_1samp(x, bound, alternative="less")
    return float(up.pvalue), float(down.pvalue)


class TestByHand:
    """Bounds from a table of t, and a limit just to either side of them."""

    # A - B: 2 ± t(0.95, 4) · sqrt(2/3) = 2 ± 2.1318 · 0.8165: from 0.25935 to 3.74065
    @pytest.mark.parametrize(
        ("margin", "verdict"), [(0.259, S), (0.260, I), (2, I), (3.740, I), (3.741, R)]
    )
    def test_greater(self, margin: float, verdict: Verdict) -> None:
        assert rules.greater(A, B, margin, alpha=0.05).verdict is verdict
        assert rules.greater(B, A, -margin, alpha=0.05).verdict is OPPOSITE[verdict]

    # [1, 2, 3] - C: -3 ± t(0.95, 216/53) · sqrt(2) = -3 ± 2.12055 · 1.41421; equal variances
    # assumed, the bounds would be -5.8 and -0.2
    @pytest.mark.parametrize(("delta", "verdict"), [(5.999, S), (5.998, I), (0.002, I), (0.001, R)])
    def test_not_worse(self, delta: float, verdict: Verdict) -> None:
        assert rules.not_worse([1, 2, 3], C, delta, alpha=0.05).verdict is verdict

    # t(0.9806, 4) = 3.02949: 2 ± 2.47357; t(0.9789, 2) = 4.71248: 2 ± 2.72075
    def test_the_default_level_is_the_nominal_one_of_three_looks(self) -> None:
        assert rules.greater(A, B, -0.474).verdict is S
        assert rules.greater(A, B, -0.473).verdict is I
        assert rules.not_worse(A, B, 0.474).verdict is S
        assert rules.not_worse(A, B, 0.473).verdict is I
        assert rules.above([1, 2, 3], -0.721).verdict is S
        assert rules.above([1, 2, 3], -0.720).verdict is I
        assert rules.below([1, 2, 3], 4.721).verdict is S
        assert rules.below([1, 2, 3], 4.720).verdict is I
        assert rules.level([1, 2, 3], 2, 2.721).verdict is S
        assert rules.level([1, 2, 3], 2, 2.720).verdict is I
        assert rules.sooner([0, 1, 2], [2.474, 3.474, 4.474]).verdict is S
        assert rules.sooner([0, 1, 2], [2.473, 3.473, 4.473]).verdict is I
        assert rules.ratio(np.exp(A), np.exp(B), math.exp(-0.474)).verdict is S
        assert rules.ratio(np.exp(A), np.exp(B), math.exp(-0.473)).verdict is I
        assert rules.order([[2.474, 3.474, 4.474], B]).verdict is S
        assert rules.order([[2.473, 3.473, 4.473], B]).verdict is I

    # [1, 2, 3]: 2 ± t(0.95, 2) / sqrt(3) = 2 ± 2.91999 · 0.57735: from 0.31415 to 3.68585
    @pytest.mark.parametrize(
        ("bound", "verdict"), [(0.314, S), (0.315, I), (2, I), (3.685, I), (3.686, R)]
    )
    def test_above_and_below(self, bound: float, verdict: Verdict) -> None:
        assert rules.above([1, 2, 3], bound, alpha=0.05).verdict is verdict
        assert rules.below([1, 2, 3], bound, alpha=0.05).verdict is OPPOSITE[verdict]

    @pytest.mark.parametrize(
        ("value", "delta", "verdict"),
        [
            (2, 1.686, S), (2, 1.685, I), (1, 2.686, S), (1, 2.685, I), (3, 2.686, S),
            (3, 2.685, I), (4, 0.314, R), (4, 0.315, I), (0, 0.314, R), (0, 0.315, I),
        ],
    )  # fmt: skip
    def test_level(self, value: float, delta: float, verdict: Verdict) -> None:
        assert rules.level([1, 2, 3], value, delta, alpha=0.05).verdict is verdict

    def test_ratio(self) -> None:
        a, b = [math.exp(x) for x in A], [math.exp(x) for x in B]
        found = [rules.ratio(a, b, math.exp(m), 0.05).verdict for m in (0.259, 0.26, 3.74, 3.741)]
        assert found == [S, I, I, R]

    def test_sooner(self) -> None:
        # The same difference, 2 ± 1.74065, and one epoch of it at a time: 2 epochs are enough,
        # 1 is not, and later is refuted.
        assert rules.sooner([10, 11, 12], [12, 13, 14], alpha=0.05).verdict is S
        assert rules.sooner([10, 11, 12], [11, 12, 13], alpha=0.05).verdict is I
        assert rules.sooner([12, 13, 14], [10, 11, 12], alpha=0.05).verdict is R

    def test_order_by_holm(self) -> None:
        # Steps of 2 have p = 0.035 each: below 0.05 alone, above it when there are two of them.
        # A step of 3 has p = 0.011, below 0.05 / 2, so that a step of 2 has 0.05 to itself.
        low, mid, high, top = [0, 1, 2], [2, 3, 4], [4, 5, 6], [5, 6, 7]
        assert rules.order([mid, low], alpha=0.05).verdict is S
        assert rules.order([high, mid, low], alpha=0.05).verdict is I
        assert rules.order([top, mid, low], alpha=0.05).verdict is S
        assert rules.order([top, low, mid], alpha=0.05).verdict is I  # 0.035 > 0.05 / 2
        assert rules.order([[99, 98, 97], low, [3, 4, 5]], alpha=0.05).verdict is R
        assert rules.order([low, mid], alpha=0.05).verdict is R


class TestAgainstScipy:
    @relaxed
    @given(a=spread, b=spread, margin=margins, alpha=levels)
    def test_greater(self, a: list[float], b: list[float], margin: float, alpha: float) -> None:
        verdict = expected(*welch_p(a, b, margin), alpha)
        assert rules.greater(a, b, margin, alpha).verdict is verdict

    @relaxed
    @given(a=spread, b=spread, delta=positive, alpha=levels)
    def test_not_worse(self, a: list[float], b: list[float], delta: float, alpha: float) -> None:
        verdict = expected(*welch_p(a, b, -delta), alpha)
        assert rules.not_worse(a, b, delta, alpha).verdict is verdict

    @relaxed
    @given(x=spread, value=margins, delta=positive, alpha=levels)
    def test_level(self, x: list[float], value: float, delta: float, alpha: float) -> None:
        above_low, below_low = student_p(x, value - delta)
        above_high, below_high = student_p(x, value + delta)
        verdict = expected(max(above_low, below_high), min(below_low, above_high), alpha)
        assert rules.level(x, value, delta, alpha).verdict is verdict

    @relaxed
    @given(x=spread, bound=margins, alpha=levels)
    def test_above_and_below(self, x: list[float], bound: float, alpha: float) -> None:
        verdict = expected(*student_p(x, bound), alpha)
        assert rules.above(x, bound, alpha).verdict is verdict
        assert rules.below(x, bound, alpha).verdict is OPPOSITE[verdict]

    @relaxed
    @given(a=spread, b=spread, factor=positive, alpha=levels)
    def test_ratio(self, a: list[float], b: list[float], factor: float, alpha: float) -> None:
        verdict = expected(*welch_p(a, b, math.log(factor)), alpha)
        assert rules.ratio(np.exp(a), np.exp(b), factor, alpha).verdict is verdict

    @relaxed
    @given(a=spread, b=spread, alpha=levels)
    def test_sooner(self, a: list[float], b: list[float], alpha: float) -> None:
        later, earlier = welch_p(a, b, 0)
        assert rules.sooner(a, b, alpha).verdict is expected(earlier, later, alpha)

    @relaxed
    @given(groups=st.lists(spread, min_size=2, max_size=4), alpha=levels)
    def test_order(self, groups: list[list[float]], alpha: float) -> None:
        both = [welch_p(a, b, 0) for a, b in pairwise(groups)]
        up, down = sorted(p for p, _ in both), min(q for _, q in both)
        weakest = max(p * (len(up) - i) for i, p in enumerate(up))
        verdict = expected(weakest, len(up) * down, alpha)
        assert rules.order(groups, alpha).verdict is verdict


class TestSymmetries:
    @relaxed
    @given(a=samples, b=samples, margin=margins)
    def test_exchange_of_the_samples(self, a: Values, b: Values, margin: float) -> None:
        forth, back = rules.greater(a, b, margin), rules.greater(b, a, -margin)
        assert back.verdict is OPPOSITE[forth.verdict]
        assert rules.sooner(b, a).verdict is rules.greater(a, b).verdict
        assert rules.order([a, b]).verdict is rules.greater(a, b).verdict

    @relaxed
    @given(a=samples, b=samples, margin=margins, delta=positive, shift=st.integers(-99, 99))
    def test_a_common_shift_changes_nothing(
        self, a: list[float], b: list[float], margin: float, delta: float, shift: int
    ) -> None:
        c, d = [x + shift for x in a], [x + shift for x in b]
        assert rules.greater(c, d, margin).verdict is rules.greater(a, b, margin).verdict
        assert rules.not_worse(c, d, delta).verdict is rules.not_worse(a, b, delta).verdict
        assert rules.above(c, margin + shift).verdict is rules.above(a, margin).verdict
        moved, still = rules.level(c, margin + shift, delta), rules.level(a, margin, delta)
        assert moved.verdict is still.verdict

    @relaxed
    @given(a=samples, b=samples, margin=margins, delta=positive, scale=st.floats(1e-6, 1e6))
    def test_a_change_of_unit_changes_nothing(
        self, a: list[float], b: list[float], margin: float, delta: float, scale: float
    ) -> None:
        c, d = [x * scale for x in a], [x * scale for x in b]
        assert rules.greater(c, d, margin * scale).verdict is rules.greater(a, b, margin).verdict
        assert rules.below(c, margin * scale).verdict is rules.below(a, margin).verdict
        other, one = rules.level(c, margin * scale, delta * scale), rules.level(a, margin, delta)
        assert other.verdict is one.verdict
        e, f = np.exp(a), np.exp(b)
        assert rules.ratio(e * scale, f * scale).verdict is rules.ratio(e, f).verdict

    @relaxed
    @given(groups=st.lists(samples, min_size=3, max_size=3), data=st.data())
    def test_the_order_of_the_seeds_changes_nothing(
        self, groups: list[list[float]], data: st.DataObject
    ) -> None:
        mixed = [data.draw(st.permutations(group)) for group in groups]
        assert rules.order(mixed) == rules.order(groups)
        for rule in (rules.greater, rules.sooner):
            assert rule(mixed[0], mixed[1]) == rule(groups[0], groups[1])
        assert rules.level(mixed[0], 0, 1) == rules.level(groups[0], 0, 1)

    @relaxed
    @given(a=samples, b=samples, margin=margins, more=positive)
    def test_a_larger_margin_is_never_easier(
        self, a: list[float], b: list[float], margin: float, more: float
    ) -> None:
        rank = {R: 0, I: 1, S: 2}
        hard, easy = rules.greater(a, b, margin + more), rules.greater(a, b, margin)
        assert rank[hard.verdict] <= rank[easy.verdict]
        strict, lax = rules.level(a, margin, more), rules.level(a, margin, more + 1)
        assert rank[strict.verdict] <= rank[lax.verdict]
        high, low = rules.above(a, margin + more), rules.above(a, margin)
        assert rank[high.verdict] <= rank[low.verdict]
        certain, bold = rules.greater(a, b, margin, 0.01), rules.greater(a, b, margin, 0.1)
        assert certain.verdict in (bold.verdict, I)


def test_verdicts_and_names_are_those_that_the_reports_use() -> None:
    assert [str(v) for v in Verdict] == [
        "supported", "refuted", "inconclusive", "error", "ran", "not evaluated"
    ]  # fmt: skip
