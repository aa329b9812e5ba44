"""How often the judge errs, by simulation of its whole sequence of looks.

The simulation is vectorised, so that it can be large; the first test shows that what it simulates
is the judge itself, data set by data set.
"""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from cvclaims.plan import LOOKS, MORE_LOOKS
from cvclaims.verdict import Verdict, calibration, rules, statistics
from cvclaims.verdict.calibration import CASES, NOISES, Case
from cvclaims.verdict.levels import nominal
from cvclaims.verdict.statistics import Array

SIMULATIONS = 20_000
# 2.6 standard errors of a rate of 5 %: what chance may add to a rule that errs at just 5 %.
CHANCE = 2.6 * (0.05 * 0.95 / SIMULATIONS) ** 0.5
NORMAL = NOISES["Normal"]

# The looks of what trains long and of what trains in seconds; the other levels are for fewer seeds.
LADDERS = [LOOKS, MORE_LOOKS]

SIGN = {Verdict.SUPPORTED: 1, Verdict.REFUTED: -1, Verdict.INCONCLUSIVE: 0}

every_rule = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def generator(case: Case) -> np.random.Generator:
    """Reproducible, and another for every rule, so that one unlucky draw is not nine."""
    return np.random.default_rng([2025, zlib.crc32(case.name.encode())])


def judged_one_by_one(case: Case, samples: list[Array]) -> tuple[list[list[int]], list[int]]:
    """The signs of each look, and of the first look that decides, by calls of the rule."""
    looks = [
        [SIGN[case.rule(*(sample[i, :n].tolist() for sample in samples)).verdict] for n in LOOKS]
        for i in range(len(samples[0]))
    ]
    return looks, [next((sign for sign in signs if sign), 0) for signs in looks]


@every_rule
def test_the_simulation_is_of_the_judge_itself(case: Case) -> None:
    rng, alpha = generator(case), nominal(case.kind, 3)
    for noise in NOISES.values():
        for distance in (-3.0, -1.0, 0.0, 1.0, 3.0):
            samples = calibration.draw(case, noise, 10, rng, distance, (1, 0.5))
            looks, first = judged_one_by_one(case, samples)
            for k, n in enumerate(LOOKS):
                together = case.signs(*(sample[:, :n] for sample in samples), alpha=alpha)
                assert together.tolist() == [signs[k] for signs in looks]
            assert calibration.first_decision(case.signs, samples, alpha).tolist() == first


@every_rule
@pytest.mark.parametrize("looks", LADDERS, ids=len)
@pytest.mark.parametrize("ratio", [1.0, 4.0])
def test_a_true_limit_is_rarely_decided(case: Case, ratio: float, looks: tuple[int, ...]) -> None:
    samples = calibration.draw(case, NORMAL, SIMULATIONS, generator(case), 0, (1, ratio), looks[-1])
    rates = calibration.rates(case, samples, looks)
    assert rates.supported <= 0.05 + CHANCE
    # All equal, neither an order nor its reverse is true: it is no error to refute it.
    assert rates.refuted <= (0.058 if case.name == "order, all equal" else 0.05) + CHANCE
    # A judge that never decides would pass the above. Of an order whose pairs are all equal, each
    # would have to look in order by chance.
    assert rates.refuted >= (0.012 if case.name.startswith("order") else 0.033)
    assert rates.supported >= (0 if case.name == "order, all equal" else 0.033)


@pytest.mark.parametrize("looks", LADDERS, ids=len)
@pytest.mark.parametrize("name", ["greater", "above"])
def test_no_larger_level_would_do(name: str, looks: tuple[int, ...]) -> None:
    """Welch's at the worst ratio of standard deviations, Student's at any."""
    (case,) = (case for case in CASES if case.name == name)
    level, rng = nominal(case.kind, len(looks)), generator(case)
    samples = calibration.draw(case, NORMAL, 100_000, rng, 0, (1, 4), looks[-1])
    chance = CHANCE * (SIMULATIONS / 100_000) ** 0.5
    found = calibration.rates(case, samples, looks).supported
    assert abs(found - 0.05) <= chance + 0.0006  # levels are cut off to four digits
    larger = calibration.rates(case, samples, looks, alpha=level + 0.003).supported
    assert larger > 0.05 + chance


def test_the_spreads_level_too() -> None:
    for looks in LADDERS:
        rates = calibration.spread_rates(
            NORMAL, 100_000, np.random.default_rng(len(looks)), looks=looks
        )
        assert abs(rates.supported - 0.05) <= CHANCE * (SIMULATIONS / 100_000) ** 0.5 + 0.0006


def test_a_detectable_difference_is_found_four_times_in_five() -> None:
    """Of data sets that are left open at eight seeds, by the spread of each."""
    rng = np.random.default_rng(8)
    alpha = nominal("difference", 3)
    a, b = (rng.standard_normal((20_000, 8)) for _ in range(2))
    reach = statistics.detectable(statistics.welch(a, b), alpha, rules.POWER)
    # The truth at the median of what these say: new data find it about as often as they say.
    truth = float(np.median(reach))
    again = [rng.standard_normal((20_000, 8)) + shift for shift in (truth, 0.0)]
    found = statistics.side(statistics.welch(*again), 0.0, alpha) > 0
    assert np.mean(found) == pytest.approx(rules.POWER, abs=0.03)


@pytest.mark.parametrize(("delta", "highest"), [(0.05, 0.10), (0.5, 0.05), (3, 0.001)])
def test_a_level_narrower_than_the_noise_is_refuted_from_either_side(
    delta: float, highest: float
) -> None:
    """With the truth in the middle; twice the one-sided rate as delta goes to 0."""
    case = calibration.level_case(delta)
    samples = calibration.draw(case, NORMAL, SIMULATIONS, generator(case), distance=delta)
    rates = calibration.rates(case, samples)
    assert rates.refuted <= highest + 2 * CHANCE
    if delta < 1:
        assert rates.supported <= 0.05 + CHANCE


@every_rule
def test_power_grows_with_the_distance_and_with_the_looks(case: Case) -> None:
    supported, wrong = [], []
    for distance in (0.0, 1.0, 2.0, 3.0):
        samples = calibration.draw(case, NORMAL, 5_000, generator(case), distance)
        alpha = nominal(case.kind, 3)
        by_look = [
            calibration.rates(case, samples, LOOKS[: k + 1], alpha).supported for k in range(3)
        ]
        assert by_look == sorted(by_look)
        supported.append(by_look[-1])
        wrong.append(calibration.rates(case, samples).refuted)
    assert supported == sorted(supported)
    assert wrong == sorted(wrong, reverse=True)
    assert supported[-1] > 0.95
    assert wrong[1] < 0.01


def test_seeds_give_reproducible_draws_and_others_give_others() -> None:
    first, again, other = (
        calibration.draw(CASES[0], NORMAL, 4, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", NOISES)
def test_noise_has_mean_zero_and_standard_deviation_one(name: str) -> None:
    draws = NOISES[name](np.random.default_rng(9), (50_000, 8))
    assert np.mean(draws) == pytest.approx(0, abs=0.01)
    assert np.std(draws) == pytest.approx(1, abs=0.05)
