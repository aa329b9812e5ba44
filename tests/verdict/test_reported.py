"""What a claim reports has to fit what its test judges; refused before anything is trained."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cvclaims.records import measure
from cvclaims.verdict.judge import Computed, Timed, Timing, combined, pooled
from tests.verdict.court import Court, timed


def court(**reported: float) -> Court:
    """A court whose claim reports these numbers of its arms a, b, c and d."""
    found = Court()
    found.judge.claim = replace(found.judge.claim, reported=reported)
    return found


def named(reported: dict[str, float]) -> Court:
    return court(**reported)


def refused(held: Court, ask: Callable[[Court], None]) -> str:
    with pytest.raises(ValueError, match=r"^claim 9\.01: ") as caught:
        ask(held)
    assert held.judge.judgment is None
    assert held.shelf.asked == [], "it trained before it refused"
    line = str(caught.value)
    assert "\n" not in line
    return line


def greater(held: Court) -> None:
    held.judge.greater(held.a, held.b)


class TestNames:
    @pytest.mark.parametrize(
        ("reported", "mend"),
        [
            ({"aa": 0.9}, "did you mean 'a'?"),
            ({"a": 0.9, "momentum": 0.9}, "its names: a, b, c, d"),
        ],
    )
    def test_a_name_that_is_no_arm_and_no_sample(
        self, reported: dict[str, float], mend: str
    ) -> None:
        name = list(reported)[-1]
        assert refused(named(reported), greater) == (
            f"claim 9.01: reported {name!r} is no recipe and nothing that is measured; {mend}"
        )

    def test_a_sample_by_its_label(self) -> None:
        held = named({"a − b": 0.2})
        held.judge.paired(held.a - held.b)
        line = refused(named({"a - b": 0.2}), lambda held: held.judge.paired(held.a - held.b))
        assert line.endswith("did you mean 'a − b'?")

    def test_an_arm_that_is_judged_under_another_name(self) -> None:
        held = court(a=0.9, b=0.7)
        held.judge.greater(held.runs.a.measure(measure.best("test_accuracy"), "best of A"), held.b)
        assert held.judgment.verdict.value == "supported"

    def test_what_was_counted(self) -> None:
        court(counted=3).judge.exact(3, 3)
        court(first=3).judge.exact([3, 4], [3, 4], counted={"first": 3, "second": 4})
        line = refused(court(count=3), lambda held: held.judge.exact(3, 3))
        assert line.endswith("did you mean 'counted'?")
        nameless = refused(court(counted=3), lambda held: held.judge.exact("x", "x"))
        assert nameless.endswith("its names: a, b, c, d")

    def test_what_is_shown_beside_times(self) -> None:
        held = named({"a, s per epoch": 3.0, "a / b": 1.3})
        held.judge.times(timed("a / b", [1.3] * 8))
        wrong = named({"a, s per epok": 3.0})
        with pytest.raises(ValueError, match="did you mean 'a, s per epoch'"):
            wrong.judge.times(timed("a / b", [1.3] * 8))


SHARES: list[tuple[str, Callable[[Court], None]]] = [
    ("a", greater),
    ("b", lambda held: held.judge.not_worse(held.a, held.b, 0.01)),
    ("a", lambda held: held.judge.above(held.a, 0.5)),
    ("a − b", lambda held: held.judge.paired(held.a - held.b)),
    ("a", lambda held: held.judge.order(held.a, held.b, held.c)),
    ("all", lambda held: held.judge.above(pooled("all", held.a, held.b), 0.5)),
    ("a", lambda held: held.judge.above(held.runs.a.measure(measure.best("test_accuracy")), 0.5)),
    (
        "a",
        lambda held: held.judge.above(held.runs.a.measure(measure.std_of("test_accuracy", 1)), 0.1),
    ),
    ("x", lambda held: held.judge.above(held.runs.a.measure(measure.train_test_gap, "x"), 0.1)),
    (
        "a",
        lambda held: held.judge.above(
            held.runs.a.measure(measure.std_of("test_accuracy", 1), "x"), 0.1
        ),
    ),
    (
        "a",
        lambda held: held.judge.share_above(
            held.runs.a.measure(measure.never_above("train_loss", 1)), 0.1
        ),
    ),
    ("a", lambda held: held.judge.above(held.runs.a.measure(measure.class_accuracy("3")), 0.1)),
    ("a", lambda held: held.judge.paired(held.a - held.b)),
    ("b", lambda held: held.judge.paired(held.a - held.b)),
    ("d", lambda held: held.judge.greater(held.a - held.b, held.c - held.d)),
    ("b", lambda held: held.judge.above(pooled("all", held.a, held.b), 0.5)),
    ("b", lambda held: held.judge.above(pooled("all", held.a - held.b, held.c), 0.5)),
    (
        "a",
        lambda held: held.judge.above(
            pooled("all", held.a, held.runs.b.measure(lambda _: 9.0)), 0.5
        ),
    ),
]


class TestPercent:
    @pytest.mark.parametrize("number", [97.3, -3.4, 1.01, 100])
    @pytest.mark.parametrize(("name", "ask"), SHARES)
    def test_a_percentage_where_a_share_is_measured(
        self, name: str, ask: Callable[[Court], None], number: float
    ) -> None:
        assert refused(named({name: number}), ask) == (
            f"claim 9.01: reported {name!r} is {number:g}, but a share of 0 to 1 is measured: "
            f"write {number / 100:g} for {number:g} %"
        )

    @pytest.mark.parametrize(
        ("what", "ask"),
        [
            ("margin", lambda held: held.judge.greater(held.a, held.b, 2)),
            ("margin", lambda held: held.judge.paired(held.a - held.b, 2)),
            ("delta", lambda held: held.judge.not_worse(held.a, held.b, 2)),
            ("value", lambda held: held.judge.level(held.a, 2, 0.1)),
            ("delta", lambda held: held.judge.level(held.a, 0.9, 2)),
            ("bound", lambda held: held.judge.above(held.a, 2)),
            ("bound", lambda held: held.judge.below(held.a, 2)),
            ("bound", lambda held: held.judge.spread_below(held.a, 2)),
        ],
    )
    def test_a_percentage_in_the_rule(self, what: str, ask: Callable[[Court], None]) -> None:
        assert refused(court(), ask).startswith(f"claim 9.01: `{what}` is 2, but a share of 0")

    def test_shares_themselves(self) -> None:
        greater(court(a=1, b=0))
        held = named({"a − b": -0.5})
        held.judge.paired(held.a - held.b, -1)

    @pytest.mark.parametrize("measured", [measure.final("train_loss"), lambda _: 0.5])
    def test_what_is_no_share_may_be_large(self, measured: measure.Measure) -> None:
        held = court(a=97.3, b=4.0)
        samples = [held.runs[name].measure(measured, name) for name in "ab"]
        held.judge.greater(samples[0], samples[1], margin=5)

    def test_an_arm_under_another_name_is_not_what_has_its_name(self) -> None:
        held = court(a=9)
        accuracy = held.runs.a.measure(measure.final("test_accuracy"), "accuracy")
        held.judge.greater(held.runs.a.measure(lambda record: 9.0 + record.seed), accuracy)

    def test_unknown_kinds_may_be_large(self) -> None:
        held = named({"x": 97.3})
        held.judge.above(combined("x", [held.runs.a], lambda _: 0.5), 40)
        named({"x": 97.3}).judge.above(Computed("x", lambda seed: 90.0 + seed), 40)
        take = Timed("x", lambda seed: Timing(40.0 + seed, {}, "a watch", ""))
        named({"x": 97.3}).judge.times(take, 40)
