"""Numbers that somebody measured elsewhere: judged as they stand, at one look."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from cvclaims.claim import claim
from cvclaims.verdict import Decision, Verdict, rules
from cvclaims.verdict.judge import Given, Judge
from cvclaims.verdict.levels import OVERALL, nominal
from tests.verdict.court import PLACE, Court

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


class TestPercent:
    """`unit="%"`: percentages as a report prints them, shown as shares."""

    def test_they_become_shares(self) -> None:
        court = percent()
        court.judge.greater([83.33, 81], [76.1, 76.4], 0.01)
        expected = rules.greater([0.8333, 0.81], [0.761, 0.764], 0.01, ONE_LOOK)
        assert court.judgment.reason == expected.reason
        assert court.judgment.measured["first"]["values"] == [0.8333, 0.81]

    def test_a_bound_in_percent_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"write 0\.76 for 76 %"):
            percent().judge.above([77.0, 78.0], 76)

    def test_what_is_no_percentage_is_refused(self) -> None:
        with pytest.raises(ValueError, match="101 is no percentage of -100 to 100"):
            percent().judge.greater([101.0, 78.0], OURS)

    def test_what_is_reported_becomes_shares_too(self) -> None:
        mark = claim(
            *("1.1", "A statement"), source=PLACE, reported={"a": 83.33, "b": [70, 81]}, unit="%"
        ).args[0]
        assert mark.claim({}).reported == {"a": 0.8333, "b": (0.70, 0.81)}
        assert mark.at_scales({})["reduced"].reported == {"a": 0.8333, "b": (0.70, 0.81)}

    @pytest.mark.parametrize(
        ("reported", "unit", "told"),
        [
            ({"a": 833.3}, "%", "reported 'a': 833.3 is no percentage"),
            ({"a": 0.8}, "percent", "`unit` is '%' or left out, not 'percent'"),
        ],
    )
    def test_odd_ones_are_refused(self, reported: dict[str, float], unit: str, told: str) -> None:
        mark = claim("1.1", "A statement", source=PLACE, reported=reported, unit=unit).args[0]
        with pytest.raises(ValueError, match=rf"claim 1\.1: {told}"):
            mark.claim({})


def percent() -> Court:
    """A court whose claim gives its numbers in percent."""
    court = Court()
    court.judge.claim = replace(court.judge.claim, unit="%")
    return court
