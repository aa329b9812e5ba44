"""The judge and its guards: what becomes of a row, in which words, and after how many seeds."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from cvclaims.plan import Run
from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.records.measure import best, epochs_to, epochs_to_share_of_best, final, std_of
from cvclaims.verdict import Verdict, rules
from cvclaims.verdict.failing import failed_to_train
from cvclaims.verdict.judge import Computed, combined, pooled
from tests.records.factory import origin, record
from tests.verdict.court import HEAVY, RATIOS, Court, Make, timed

# Fashion-MNIST: ten classes, 10,000 test samples, so that a run starts above .15.
IDLE, GOOD, BETTER = [0.10, 0.11, 0.10] * 3, [0.80, 0.81, 0.79] * 3, [0.90, 0.91, 0.89] * 3
ONE_IDLE = [0.80, 0.15, 0.79] * 3
JPEG = "CIFAR-10, JPEG re-encoded"


def reduced(values: Make | dict[str, list[float]], **about: Any) -> Court:
    return Court(values, recipe=HEAVY, scale="reduced", **about)


def full(values: Make | dict[str, list[float]], **about: Any) -> Court:
    return Court(values, **{"recipe": HEAVY, "scale": "full", **about})


COMPARISONS: dict[str, Callable[[Court], None]] = {
    "greater": lambda court: court.judge.greater(court.a, court.b),
    "not_worse": lambda court: court.judge.not_worse(court.a, court.b, 0.01),
    "ratio": lambda court: court.judge.ratio(court.a, court.b),
    "order": lambda court: court.judge.order(court.a, court.b),
    "paired": lambda court: court.judge.paired(court.a - court.b),
    "sooner to a share of its own best": lambda court: court.judge.sooner(
        *(
            arm.measure(epochs_to_share_of_best("test_accuracy", 0.9))
            for arm in (court.runs.a, court.runs.b)
        )
    ),
    "rate": lambda court: court.judge.rate(
        court.runs.a.measure(lambda _: 1.0), court.runs.b.measure(lambda _: 0.0)
    ),
    "share": lambda court: court.judge.share_above(
        pooled("ones", *(arm.measure(lambda _: 1.0) for arm in (court.runs.a, court.runs.b))), 0.5
    ),
    "combined": lambda court: court.judge.greater(
        combined("both", [court.runs.a, court.runs.b], lambda _: 1.0), court.c
    ),
    "pooled": lambda court: court.judge.greater(pooled("both", court.a, court.b), court.c),
}


class TestV1:
    @pytest.mark.parametrize("rule", COMPARISONS)
    def test_reduced_networks_that_never_started_are_not_compared(self, rule: str) -> None:
        court = reduced({"a": GOOD, "b": ONE_IDLE, "c": [0.2] * 8})
        COMPARISONS[rule](court)
        judgment = court.judgment
        assert judgment.verdict is Verdict.RAN
        assert judgment.reason == "1 of 3 runs of `b` never left chance"
        assert judgment.guards == ("V1",)
        assert court.shelf.seeds_asked == [[0, 1, 2]]  # no further seed takes it back
        assert judgment.evidence["b"] == court.keys("b", 3)
        assert all(measured["n"] >= 3 for measured in judgment.measured.values())

    @pytest.mark.parametrize("rule", COMPARISONS)
    def test_networks_that_started_are(self, rule: str) -> None:
        court = reduced({"a": BETTER, "b": [0.1501, 0.1601, 0.1551] * 3, "c": [0.2] * 8})
        COMPARISONS[rule](court)
        assert court.judgment.verdict is not Verdict.RAN
        assert court.judgment.guards == ()

    def test_a_later_seed_may_show_it(self) -> None:
        spread = [0.5, 0.9, 0.7, 0.1, 0.9]
        court = reduced({"a": spread, "b": [0.6, 0.8, 0.71, 0.6, 0.6]})
        court.judge.greater(court.a, court.b)
        assert court.judgment.reason == "1 of 5 runs of `a` never left chance"
        assert [len(seeds) for seeds in court.shelf.seeds_asked] == [3, 5]

    @pytest.mark.parametrize("rule", COMPARISONS)
    def test_at_full_scale_it_is_a_note_beside_the_verdict(self, rule: str) -> None:
        values = {"a": BETTER, "b": ONE_IDLE, "c": [0.2] * 8}
        court, without = full(values), full(values, about_failing=True)
        for one in (court, without):
            COMPARISONS[rule](one)
        judgment = court.judgment
        assert judgment.verdict is without.judgment.verdict
        count = len(judgment.evidence["b"])
        note = f"{count // 3 + (count % 3 == 2)} of {count} runs of `b` never left chance"
        assert judgment.reason == f"{without.judgment.reason}; {note}"
        assert (judgment.guards, without.judgment.guards) == (("V1",), ())

    def test_where_the_rate_is_ours_it_is_open_and_no_more_seeds_are_trained(self) -> None:
        court = full({"a": BETTER, "b": ONE_IDLE}, recipe=HEAVY.but(assumed=("lr", "epochs")))
        court.judge.greater(court.a, court.b)
        judgment = court.judgment
        assert judgment.verdict is Verdict.INCONCLUSIVE
        assert judgment.reason == "1 of 3 runs of `b` never left chance, and lr is assumed"
        assert judgment.guards == ("V1",)
        assert court.shelf.seeds_asked == [[0, 1, 2]]

    def test_what_the_statement_says_fails_may(self) -> None:
        values = {"a": BETTER, "b": IDLE}
        for about, verdict in (
            ({"about_failing": ["b"]}, Verdict.SUPPORTED),
            ({"about_failing": True}, Verdict.SUPPORTED),
            ({"about_failing": ["a"]}, Verdict.RAN),
            ({}, Verdict.RAN),
        ):
            court = reduced(values, **about)
            court.judge.greater(court.a, court.b)
            assert court.judgment.verdict is verdict, about

    def test_light_recipes_are_at_full_scale_whatever_is_asked(self) -> None:
        light = Recipe(data="digits", lr=0.1, epochs=2)
        court = Court({"a": GOOD, "b": IDLE}, recipe=light, scale="reduced")
        court.judge.greater(court.a, court.b)
        assert court.judgment.verdict is Verdict.SUPPORTED
        assert court.judgment.reason.endswith("3 of 3 runs of `b` never left chance")

    def test_exact_timed_and_computed_rows_are_exempt(self) -> None:
        exact, times, computed = (reduced({"a": IDLE, "b": IDLE}) for _ in range(3))
        exact.judge.exact(exact.runs.a.measure(lambda _: 0.0), 0)
        times.judge.times(timed("a / b", RATIOS))
        computed.judge.greater(
            Computed("x", lambda seed: 1.0 + seed), Computed("y", lambda seed: -1.0 - seed)
        )
        for court in (exact, times, computed):
            assert court.judgment.verdict is Verdict.SUPPORTED
            assert court.judgment.guards == ()

    def test_smoke_and_stand_ins_have_no_guards(self) -> None:
        smoke = Court({"a": IDLE, "b": IDLE}, scale="smoke")
        smoke.judge.greater(smoke.a, smoke.b)
        generated = reduced(
            lambda arm, run: record(run.recipe, accuracy=0.1, origin=origin(stand_in=True))
        )
        generated.judge.greater(generated.a, generated.b)
        for court in (smoke, generated):
            assert court.judgment.verdict is Verdict.RAN
            assert court.judgment.guards == ()


# Not bad, but far below what their reports give.
WEAK = {"a": [0.70, 0.71, 0.69] * 3, "b": [0.50, 0.51, 0.49] * 3}


class TestV2:
    @pytest.mark.parametrize("rule", ["greater", "not_worse", "order", "paired", "pooled"])
    def test_reduced_networks_far_below_what_is_reported(self, rule: str) -> None:
        values = {**WEAK, "c": [0.2, 0.21, 0.19] * 3}
        court = reduced(values, reported={"a": 0.9, "b": 0.8})
        COMPARISONS[rule](court)
        judgment = court.judgment
        assert judgment.verdict is Verdict.RAN
        assert "`b` has 0.57 of its reported skill" in judgment.reason
        assert judgment.guards == ("V2",)
        assert court.shelf.seeds_asked == [[0, 1, 2]]

    @pytest.mark.parametrize("rule", ["ratio", "rate", "share", "combined"])
    def test_what_compares_no_accuracies_is_judged(self, rule: str) -> None:
        court = reduced({**WEAK, "c": [0.2] * 8}, reported={"a": 0.9, "b": 0.8})
        COMPARISONS[rule](court)
        assert court.judgment.guards == ()

    def test_nor_is_a_spread_over_epochs_an_accuracy(self) -> None:
        court = reduced(WEAK, reported={"a": 0.9, "b": 0.8})
        late = std_of("test_accuracy", -2)
        court.judge.greater(court.runs.a.measure(late), court.runs.b.measure(late))
        assert court.judgment.guards == ()

    def test_at_full_scale_the_protocol_is_the_report_s(self) -> None:
        court = full(WEAK, reported={"a": 0.9, "b": 0.9})
        court.judge.greater(court.a, court.b)
        assert court.judgment.verdict is Verdict.SUPPORTED
        assert court.judgment.guards == ()

    def test_an_arm_without_a_number_is_held_to_its_rival_s(self) -> None:
        court = reduced(WEAK, reported={"a": 0.8})
        court.judge.greater(court.a, court.b)
        assert court.judgment.reason == "`b` has 0.57 of its reported skill, less than 0.75"

    @pytest.mark.parametrize(
        ("runs", "guards"), [([0.9, 0.5, 0.7], ()), ([0.8, 0.5, 0.95], ("V2",)), ([0.7, 0.7], ())]
    )
    def test_one_number_a_run_counts_by_its_mean(
        self, runs: list[float], guards: tuple[str, ...]
    ) -> None:
        # Three quarters of the way from .1 to .7 are at .55.
        court = reduced({"a": GOOD, "b": [0.56, 0.57, 0.55] * 3}, reported={"a": 0.8, "b": runs})
        court.judge.greater(court.a, court.b)
        assert court.judgment.guards == guards

    def test_the_number_of_a_label_belongs_to_that_sample(self) -> None:
        reported = {"a, best": 0.99, "b, best": 0.6}
        court = reduced(WEAK, reported=reported)
        top = best("test_accuracy")
        court.judge.greater(
            court.runs.a.measure(top, "a, best"), court.runs.b.measure(top, "b, best")
        )
        assert court.judgment.reason == "`a` has 0.67 of its reported skill, less than 0.75"

    def test_the_number_of_another_measure_is_no_accuracy(self) -> None:
        court = reduced({**WEAK, "c": WEAK["b"]}, reported={"c": 0.99})
        c = court.runs.c.measure(lambda run: 0.1 + 0.01 * run.seed)
        court.judge.order(court.a, court.b, c)
        assert court.judgment.guards == ()

    def test_what_the_statement_says_fails_may(self) -> None:
        court = reduced(WEAK, reported={"a": 0.8, "b": 0.8}, about_failing=["b"])
        court.judge.greater(court.a, court.b)
        assert court.judgment.verdict is Verdict.SUPPORTED

    def test_both_guards_speak_in_order(self) -> None:
        court = reduced({"a": GOOD, "b": IDLE}, reported={"a": 0.8, "b": 0.8})
        court.judge.greater(court.a, court.b)
        assert court.judgment.guards == ("V1", "V2")
        assert court.judgment.reason == (
            "3 of 3 runs of `b` never left chance; `b` has 0.00 of its reported skill, "
            "less than 0.75"
        )


def curve(reaches: int | None, run: Run) -> Record:
    """A run whose accuracy is above .75 from one epoch on, or never."""
    epochs = run.recipe.epochs
    low = epochs if reaches is None else reaches - 1
    values = [0.3 + 0.001 * run.seed] * low + [0.8] * (epochs - low)
    return record(run.recipe, run.seed, accuracy=values, scale=run.scale)


def reaching(**epochs: list[int | None]) -> Make:
    return lambda arm, run: curve(epochs[arm][run.seed], run)


TO = epochs_to("test_accuracy", 0.75)


def sooner(court: Court) -> None:
    court.judge.sooner(court.runs.a.measure(TO), court.runs.b.measure(TO))


class TestV3:
    def test_where_most_runs_of_an_arm_never_arrive_how_many_do_is_compared(self) -> None:
        court = full(reaching(a=[2, 3, 2] * 3, b=[None] * 9))
        sooner(court)
        judgment = court.judgment
        assert judgment.rule == court.judge.rule == "rate of arriving"
        assert judgment.reason.startswith(rules.rate([1, 1, 1], [0, 0, 0]).reason)
        assert "most runs of `b` never arrive" in judgment.reason
        assert judgment.guards == ("V3",)
        assert judgment.verdict is Verdict.SUPPORTED
        assert judgment.measured["b"]["values"] == [10, 10, 10]

    def test_the_other_way_round_refutes(self) -> None:
        court = full(reaching(b=[2, 3, 2] * 3, a=[None] * 9))
        sooner(court)
        assert court.judgment.verdict is Verdict.REFUTED
        assert "most runs of `a` never arrive" in court.judgment.reason

    def test_half_of_them_are_not_most(self) -> None:
        court = full(reaching(a=[2] * 8, b=[None, 9] * 4), most=2)
        sooner(court)
        assert (court.judgment.rule, court.judgment.guards) == ("sooner", ())

    def test_two_of_three_are(self) -> None:
        court = full(reaching(a=[2] * 8, b=[None, 9, None, *[9] * 5]))
        sooner(court)
        # At five seeds it is two of five: the rule is `sooner` again.
        assert [len(seeds) for seeds in court.shelf.seeds_asked] == [3, 5]
        assert (court.judgment.rule, court.judgment.guards) == ("sooner", ())
        assert court.judge.rule == "sooner"
        assert court.judgment.verdict is Verdict.SUPPORTED

    def test_to_an_absolute_accuracy_it_is_about_the_full_protocol(self) -> None:
        court = reduced(reaching(a=[2] * 8, b=[None] * 8))
        sooner(court)
        assert court.judgment.verdict is Verdict.RAN
        told = "how soon a value is reached is a statement about the full protocol"
        assert court.judgment.reason.startswith(told)
        assert court.judgment.guards == ()

    def test_v1_comes_after_it(self) -> None:
        def make(arm: str, run: Run) -> Record:
            return curve(2, run) if arm == "a" else record(run.recipe, run.seed, accuracy=0.1)

        court = full(make)
        sooner(court)
        assert court.judgment.guards == ("V3", "V1")
        assert court.judgment.rule == "rate of arriving"
        assert court.judgment.verdict is Verdict.SUPPORTED
        ours = full(make, recipe=HEAVY.but(assumed=("init",)))
        sooner(ours)
        assert ours.judgment.verdict is Verdict.INCONCLUSIVE
        assert (ours.judgment.guards, ours.judgment.rule) == (("V3", "V1"), "rate of arriving")


PATIENT = Recipe(data="fashion_mnist", lr=0.1, epochs=6, patience=2)
FAILED = failed_to_train(0.15)
# How a run ended: it failed, it trained, or it met the cap of epochs at chance.
ENDS = {
    "f": (0.1, [1.0, 1.0, 1.0]),
    "t": (0.8, [0.5] * 3),
    "?": (0.1, [1 - i / 9 for i in range(6)]),
}


def ended(**ends: str) -> Make:
    def make(arm: str, run: Run) -> Record:
        accuracy, loss = ENDS[ends[arm][run.seed]]
        return record(run.recipe, run.seed, accuracy=[accuracy] * len(loss), loss=loss, probes={})

    return make


class TestV4:
    def court(self, scale: str = "full", **ends: str) -> Court:
        court = Court(ended(**ends), recipe=PATIENT, scale=scale, about_failing=True)
        court.judge.rate(court.runs.a.measure(FAILED), court.runs.b.measure(FAILED))
        return court

    def test_without_undecided_runs_nothing_changes(self) -> None:
        judgment = self.court(a="fffff", b="ttttt").judgment
        assert judgment.reason == rules.rate([1] * 3, [0] * 3).reason
        assert (judgment.verdict, judgment.guards) == (Verdict.SUPPORTED, ())

    def test_where_it_hangs_on_them_it_is_open(self) -> None:
        court = self.court(a="????????", b="tttttttt")
        judgment = court.judgment
        assert judgment.verdict is Verdict.INCONCLUSIVE
        assert judgment.guards == ("V4",)
        assert judgment.reason == (
            "it hangs on 8 undecided runs: supported with them as failed "
            f"({rules.rate([1] * 8, [0] * 8).reason}), inconclusive as trained "
            f"({rules.rate([0] * 8, [0] * 8).reason})"
        )
        assert [len(seeds) for seeds in court.shelf.seeds_asked] == [3, 5, 8]
        assert judgment.measured["a"]["values"] == [None] * 8

    def test_undecided_runs_on_the_other_side_count_too(self) -> None:
        judgment = self.court(a="ffffffff", b="????????").judgment
        assert (judgment.verdict, judgment.guards) == (Verdict.INCONCLUSIVE, ("V4",))

    def test_where_both_ways_agree_it_is_judged(self) -> None:
        judgment = self.court(a="ffff?fff", b="tttttttt").judgment
        assert judgment.verdict is Verdict.SUPPORTED
        judgment = self.court(a="f?f?ffff", b="tttttttt").judgment
        assert judgment.verdict is Verdict.SUPPORTED
        assert judgment.guards == ()
        assert judgment.reason == (
            f"{rules.rate([1] * 8, [0] * 8).reason}; "
            "the same with 2 undecided runs taken for trained"
        )

    def test_a_share_is_decided_twice_as_well(self) -> None:
        for ends, verdict, guards in (
            ("ffffffff", Verdict.SUPPORTED, ()),
            ("f???????", Verdict.INCONCLUSIVE, ("V4",)),
            ("tttttttt", Verdict.REFUTED, ()),
        ):
            court = Court(ended(a=ends), recipe=PATIENT, about_failing=True)
            court.judge.share_above(court.runs.a.measure(FAILED), 0.5)
            assert (court.judgment.verdict, court.judgment.guards) == (verdict, guards), ends

    def test_of_what_is_combined_from_failing_runs(self) -> None:
        court = Court(ended(a="?" * 8, b="t" * 8, c="t" * 8), recipe=PATIENT, about_failing=True)

        def smallest(records: Sequence[Record]) -> float:
            first = next((i for i, run in enumerate(records) if FAILED(run) == 0), len(records))
            return first + 0.001 * records[0].seed

        arms = [court.runs.a, court.runs.b]
        court.judge.greater(
            combined("smallest", arms, smallest), court.runs.c.measure(lambda run: 0.001 * run.seed)
        )
        assert court.judgment.verdict is Verdict.INCONCLUSIVE
        assert court.judgment.guards == ("V4",)

    def test_a_row_that_is_not_about_failing_is_decided_once(self) -> None:
        court = Court(ended(a="t" * 8, b="?" * 8), recipe=PATIENT)
        loss = final("test_loss")
        court.judge.greater(court.runs.a.measure(loss), court.runs.b.measure(loss))
        assert "undecided" not in court.judgment.reason
        assert court.judgment.guards == ("V1",)

    def test_v1_still_guards_the_arm_that_is_said_to_train(self) -> None:
        court = Court(
            ended(a="f" * 8, b="t?tttttt"), recipe=PATIENT, scale="reduced", about_failing=["a"]
        )
        court.judge.rate(court.runs.a.measure(FAILED), court.runs.b.measure(FAILED))
        assert court.judgment.verdict is Verdict.RAN
        assert court.judgment.guards == ("V1",)


class TestV5:
    @staticmethod
    def make(accuracy: dict[str, list[float]]) -> Make:
        return lambda arm, run: record(
            run.recipe, run.seed, accuracy=accuracy[arm][run.seed], origin=origin(data=JPEG)
        )

    @pytest.mark.parametrize("rule", ["level", "above", "below"])
    def test_an_absolute_level_on_other_bytes_is_shown_and_not_judged(self, rule: str) -> None:
        court = full(self.make({"a": BETTER}))
        bounds = {"level": (0.9, 0.02), "above": (0.5,), "below": (0.99,)}[rule]
        getattr(court.judge, rule)(court.a, *bounds)
        assert court.judgment.verdict is Verdict.RAN
        assert court.judgment.reason == f"an absolute level on {JPEG}, not the report's own bytes"
        assert court.judgment.guards == ("V5",)
        assert court.shelf.seeds_asked == [[0, 1, 2]]
        (measured,) = court.judgment.measured.values()
        assert measured["n"] == 3

    def test_so_is_a_level_of_what_may_be_an_accuracy(self) -> None:
        court = full(self.make({"a": BETTER}))
        own = court.runs.a.measure(lambda run: run.series["test_accuracy"][-1])
        court.judge.above(own, 0.5)
        assert court.judgment.guards == ("V5",)

    def test_a_level_of_a_loss_is_judged(self) -> None:
        court = full(self.make({"a": BETTER}))
        court.judge.level(court.runs.a.train_loss, 0.25, 0.1)
        assert court.judgment.verdict is Verdict.SUPPORTED

    def test_a_comparison_the_size_of_a_gap_and_a_spread_are_judged(self) -> None:
        make = self.make({"a": BETTER, "b": GOOD})
        compared, gap, spread = (full(make) for _ in range(3))
        compared.judge.greater(compared.a, compared.b)
        gap.judge.level(gap.a - gap.b, 0.1, 0.05)
        spread.judge.spread_below(spread.a, 0.2)
        for court in (compared, gap, spread):
            assert court.judgment.verdict is Verdict.SUPPORTED, court.judgment.reason

    def test_it_outweighs_an_open_row_and_all_words_stand(self) -> None:
        court = full(self.make({"a": ONE_IDLE}), recipe=HEAVY.but(assumed=("init",)))
        court.judge.above(court.a, 0.5)
        assert court.judgment.verdict is Verdict.RAN
        assert court.judgment.guards == ("V1", "V5")
        assert court.judgment.reason.startswith("1 of 3 runs of `a` never left chance, and init")

    def test_below_full_scale_the_protocol_is_reason_enough(self) -> None:
        court = reduced(self.make({"a": BETTER}))
        court.judge.above(court.a, 0.5)
        assert court.judgment.reason.startswith("a level is a statement about the full protocol")
        assert court.judgment.guards == ()


def test_a_statement_about_gpus_says_so_where_a_processor_was_timed() -> None:
    for device, told in (("CPU, some, 2 cores", True), ("NVIDIA H200", False)):
        court = Court()
        court.judge.times(timed("a / b", RATIOS, device=device), on_cpu="a GPU's reason")
        assert court.judgment.reason.endswith("; a GPU's reason") is told
        assert court.judgment.verdict is Verdict.SUPPORTED
