"""Numbers that somebody measured elsewhere: judged as they stand, at one look."""

import math
from collections.abc import Callable

import pytest

from cvclaims.verdict import Decision, Verdict, rules
from cvclaims.verdict.judge import Given, Judge
from cvclaims.verdict.levels import OVERALL, nominal
from tests.verdict.court import Court

OURS, THEIRS = [77.0, 76.5, 77.4], [76.1, 76.4, 75.9, 76.0]
ONE_LOOK = nominal("difference", 1)


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda j: j.greater(OURS, THEIRS), rules.greater(OURS, THEIRS, 0, ONE_LOOK)),
        (lambda j: j.greater(OURS, THEIRS, 2), rules.greater(OURS, THEIRS, 2, ONE_LOOK)),
        (lambda j: j.sooner(THEIRS, OURS), rules.sooner(THEIRS, OURS, ONE_LOOK)),
        (lambda j: j.above(OURS, 76), rules.above(OURS, 76, OVERALL)),
        (lambda j: j.level(OURS, 77, 2), rules.level(OURS, 77, 2, OVERALL)),
        (lambda j: j.ratio(OURS, THEIRS, 0.9), rules.ratio(OURS, THEIRS, 0.9, ONE_LOOK)),
        (lambda j: j.rate([1] * 6, [0] * 7), rules.rate([1] * 6, [0] * 7, OVERALL)),
    ],
)
def test_the_rule_sees_all_of_them_at_the_level_of_one_look(
    ask: Callable[[Judge], None], expected: Decision
) -> None:
    court = Court()
    ask(court.judge)
    told = court.judgment
    assert (told.verdict, told.reason) == (expected.verdict, expected.reason)
    assert expected.verdict is not Verdict.RAN
    assert [run for runs in court.shelf.asked for run in runs] == []
    assert told.evidence == {}


def test_they_are_shown_by_their_place_or_by_a_name() -> None:
    court = Court()
    court.judge.order(Given("ours", (3.0, 3.1)), [2.0, 2.1], (1.0, 1.1))
    assert list(court.judgment.measured) == ["ours", "second", "third"]
    assert court.judgment.measured["third"]["values"] == [1.0, 1.1]


def test_nothing_is_judged_at_smoke_scale() -> None:
    court = Court(scale="smoke")
    court.judge.greater(OURS, THEIRS)
    assert court.judgment.verdict is Verdict.RAN


@pytest.mark.parametrize("odd", ["77", None, True, math.nan, math.inf, 10**301])
def test_what_is_no_number_is_refused_by_name(odd: object) -> None:
    with pytest.raises(ValueError, match=r"numbers in hand, 'second': .* is no finite number"):
        Court().judge.greater(OURS, [1.0, odd])  # type: ignore[list-item]


@pytest.mark.parametrize("few", [[], [77.0]])
def test_fewer_than_two_are_refused(few: list[float]) -> None:
    with pytest.raises(ValueError, match=r"'first': . of them; a verdict needs two or more"):
        Court().judge.greater(few, THEIRS)


def test_what_is_trained_is_not_compared_with_them() -> None:
    court = Court()
    with pytest.raises(TypeError, match=r"by `reported`, level\(\) or above\(\)"):
        court.judge.greater(court.runs.a.test_accuracy, [0.7, 0.8])
    assert [run for runs in court.shelf.asked for run in runs] == []


@pytest.mark.parametrize("odd", [0.7, "0.7", None])
def test_what_is_neither_is_refused(odd: object) -> None:
    with pytest.raises(TypeError, match=r"a rule takes samples, such as runs\.sgd\.test_accuracy"):
        Court().judge.greater(OURS, odd)  # type: ignore[arg-type]
