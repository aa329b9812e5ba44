"""Which records may speak."""

import pytest

from cvclaims.plan import Run
from cvclaims.records import Record
from cvclaims.verdict import Verdict
from cvclaims.verdict.validity import level_on_other_bytes
from tests.records.factory import origin, record
from tests.verdict.court import VALUES, Court

JPEG = "CIFAR-10, JPEG re-encoded"


def make(arm: str, run: Run) -> Record:
    return record(run.recipe, run.seed, accuracy=VALUES[arm][run.seed], origin=origin(data=JPEG))


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        (["CIFAR-10"], ""),
        (["CIFAR-10, from image files"], ""),
        (["Digits (scikit-learn)"], ""),
        (["CIFAR-10", JPEG, JPEG], f"an absolute level on {JPEG}, not the report's own bytes"),
    ],
)
def test_v5_is_about_images_that_lost_something(sources: list[str], why: str) -> None:
    assert level_on_other_bytes([record(origin=origin(data=s)) for s in sources]) == why


@pytest.mark.parametrize("rule", ["level", "above", "below"])
def test_an_absolute_level_on_other_bytes_is_shown_and_not_judged(rule: str) -> None:
    court = Court(make)
    bounds = {"level": (0.92, 0.02), "above": (0.5,), "below": (0.99,)}[rule]
    getattr(court.judge, rule)(court.a, *bounds)
    assert court.judgment.verdict is Verdict.RAN
    assert JPEG in court.judgment.reason
    assert court.shelf.seeds_asked == [[0, 1, 2]]
    (measured,) = court.judgment.measured.values()
    assert measured["n"] == 3


def test_a_comparison_the_size_of_a_gap_and_a_spread_are_judged() -> None:
    compared, gap, spread = (Court(make) for _ in range(3))
    compared.judge.greater(compared.a, compared.b)
    gap.judge.level(gap.a - gap.b, 0.2, 0.1)
    spread.judge.spread_below(spread.a, 0.2)
    for court in (compared, gap, spread):
        assert court.judgment.verdict is Verdict.SUPPORTED, court.judgment.reason
