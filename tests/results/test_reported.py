"""A reported number belongs to the curve, and to the epoch, that was measured; else to none."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

import pytest

from cvclaims.records import measure
from cvclaims.records.measure import Measure
from cvclaims.records.record import Record, rounded
from cvclaims.results.figures.groups import Reported
from cvclaims.results.figures.probes import layer_of, layers_mean
from cvclaims.results.figures.reported import Mark, class_marks, class_means, marks
from tests.results.synthetic import CE, CLASSES, SHORT, classifier, record

SEEDS = [record(CE, seed) for seed in range(3)]
ROW = ("losses", "5.04", "")


def told(
    of: Measure | Callable[[Record], float],
    *numbers: float,
    records: Sequence[Record] = SEEDS,
    arm: str = "ce",
    row: tuple[str, ...] = ROW,
) -> Reported:
    """What a row holds of an arm: the report's numbers, and what its own runs came to."""
    return Reported(row, arm, numbers, {r.key: rounded(float(of(r))) for r in records})


def where(of: Measure, curve: str = "test_accuracy") -> tuple[float, str]:
    (mark,) = marks([told(of, 0.77)], {"ce": SEEDS}, curve)
    assert (mark.arm, mark.value, mark.runs) == ("ce", 0.77, ())
    return mark.epoch, mark.where


class TestPlaces:
    def test_single_epochs(self) -> None:
        assert where(measure.final("test_accuracy")) == (30, "last epoch")
        assert where(measure.first("test_accuracy")) == (1, "first epoch")
        assert where(measure.at_epoch("test_accuracy", 7)) == (7, "epoch 7")
        assert where(measure.final("train_loss"), "train_loss") == (30, "last epoch")

    def test_means_stand_in_the_middle_of_their_epochs(self) -> None:
        assert where(measure.mean_of("test_accuracy", -10)) == (
            25.5,
            "mean of the last 10 epochs",
        )
        assert where(measure.mean_of("test_accuracy", 1, 5)) == (3, "mean of the first 5 epochs")

    def test_the_best_stands_where_runs_were_at_their_best(self) -> None:
        series = [r.series["test_accuracy"] for r in SEEDS]
        epoch, told = where(measure.best("test_accuracy"))
        assert epoch == fmean(list(s).index(max(s)) + 1 for s in series)
        assert told == "best epoch"

    def test_the_lowest_since_an_epoch(self) -> None:
        bumpy = [
            record(CE, n, series=dict(SEEDS[n].series, test_accuracy=[0.1] * 20 + [0.9, low] * 5))
            for n, low in enumerate((0.85, 0.86))
        ]
        reported = told(measure.min_of("test_accuracy", 21), 0.8, records=bumpy)
        (mark,) = marks([reported], {"ce": bumpy}, "test_accuracy")
        assert mark.value == 0.8
        assert mark.epoch > 20
        assert mark.where.startswith(("last epoch", "lowest"))

    def test_a_number_stands_at_one_curve_alone(self) -> None:
        reported = [told(measure.final("test_accuracy"), 0.77)]
        for curve in ("train_loss", "test_loss", "lr", "gradient_norm"):
            assert marks(reported, {"ce": SEEDS}, curve) == []

    @pytest.mark.parametrize(
        "of",
        [
            lambda r: r.series["test_accuracy"][-1] - 0.5,
            measure.std_of("test_accuracy", -10),
            measure.train_test_gap,
            lambda r: 100 * r.series["test_accuracy"][-1],
            lambda r: 8.2,
        ],
        ids=["difference", "spread", "gap", "percent", "seconds"],
    )
    def test_a_number_in_another_unit_stands_nowhere(self, of: Measure) -> None:
        for curve in ("test_accuracy", "train_loss", "test_loss", "lr", "gradient_norm"):
            assert marks([told(of, 0.5)], {"ce": SEEDS}, curve) == []

    def test_one_run_that_says_otherwise_is_enough(self) -> None:
        reported = told(measure.final("test_accuracy"), 0.77)
        changed = {**reported.measured, SEEDS[2].key: 0.123}
        other = Reported(ROW, "ce", (0.77,), changed)
        assert marks([other], {"ce": SEEDS}, "test_accuracy") == []

    def test_shares_of_runs_are_no_accuracies(self) -> None:
        """1 where a run failed is no accuracy of 1."""
        perfect = [record(CE, 0, series=dict(SEEDS[0].series, test_accuracy=[1.0] * 30))]
        failed = told(measure.diverged, 0.2, records=perfect)
        never = told(lambda _: 1.0, 0.2, records=perfect)
        assert marks([failed, never], {"ce": perfect}, "test_accuracy") == []


class TestRuns:
    def test_the_reports_own_runs_are_shown_with_their_mean(self) -> None:
        reported = told(measure.final("test_accuracy"), 0.7, 0.8)
        (mark,) = marks([reported], {"ce": SEEDS}, "test_accuracy")
        assert mark.value == pytest.approx(0.75)
        assert mark.runs == ((30, 0.7), (30, 0.8))

    def test_a_number_that_two_rows_hold_is_shown_once(self) -> None:
        one = told(measure.final("test_accuracy"), 0.77)
        fewer = told(measure.final("test_accuracy"), 0.77, records=SEEDS[:2], row=("a", "b", ""))
        assert len(marks([one, fewer], {"ce": SEEDS}, "test_accuracy")) == 1

    def test_a_run_that_gave_no_number_is_passed_over(self) -> None:
        lost = record(CE, 3, diverged=True)
        reported = told(measure.final("test_accuracy"), 0.77)
        measured = {**reported.measured, lost.key: None}
        part = Reported(ROW, "ce", (0.77,), measured)
        (mark,) = marks([part], {"ce": [*SEEDS, lost]}, "test_accuracy")
        assert mark.value == 0.77
        nothing = Reported(ROW, "ce", (0.77,), {lost.key: None})
        assert marks([nothing], {"ce": [lost]}, "test_accuracy") == []

    def test_one_seed_of_one_epoch(self) -> None:
        short = SHORT.but(epochs=1)
        one = [record(short, 0)]
        part = told(measure.final("test_accuracy"), 0.6, records=one)
        assert marks([part], {"ce": one}, "test_accuracy") == [Mark("ce", 1, 0.6, "last epoch")]

    def test_no_records_and_other_arms_hold_no_mark(self) -> None:
        part = told(measure.final("test_accuracy"), 0.77)
        assert marks([part], {"ce": []}, "test_accuracy") == []
        assert marks([part], {"mse": SEEDS}, "test_accuracy") == []

    def test_curves_that_are_no_numbers(self) -> None:
        broken = [record(CE, 0, series={**SEEDS[0].series, "test_loss": [math.nan] * 30})]
        part = told(measure.final("train_loss"), 0.1, records=broken)
        assert marks([part], {"ce": broken}, "test_loss") == []


def rising(seed: int, reach: int, height: float = 0.9, by: float = 0.8) -> Record:
    """A run that is at `by` in epoch `reach` first, and ends at `height`."""
    curve = [0.1 + 0.01 * (i / 30) for i in range(reach - 1)] + [by]
    curve += [height] * (30 - reach)
    return record(CE, seed, series=dict(SEEDS[0].series, test_accuracy=curve))


class TestEpochs:
    def test_epochs_stand_at_the_threshold_that_they_are_counted_to(self) -> None:
        fast = [rising(n, reach) for n, reach in enumerate((4, 6))]
        slow = [rising(n, reach) for n, reach in enumerate((20, 22), 2)]
        to = measure.epochs_to("test_accuracy", 0.8)
        parts = [told(to, 9, records=fast, arm="fast"), told(to, 19, records=slow, arm="slow")]
        runs = {"fast": fast, "slow": slow}
        found = marks(parts, runs, "test_accuracy")
        assert [(m.arm, m.epoch) for m in found] == [("fast", 9), ("slow", 19)]
        assert len({m.value for m in found}) == 1
        assert 0.1 < found[0].value <= 0.8
        assert marks(parts, runs, "train_accuracy") == []
        assert marks(parts, runs, "train_loss") == []

    def test_epochs_to_a_share_of_the_best_stand_at_that_share(self) -> None:
        runs = [rising(n, reach, by=0.875) for n, reach in enumerate((4, 6))]
        part = told(measure.epochs_to_share_of_best("test_accuracy", 0.95), 31, records=runs)
        (mark,) = marks([part], {"ce": runs}, "test_accuracy")
        assert mark.epoch == 31
        assert mark.value == pytest.approx(0.95 * 0.9)

    def test_one_that_never_gets_there_counts(self) -> None:
        runs = [rising(0, 5), record(CE, 1, series=dict(SEEDS[0].series, test_accuracy=[0.3] * 30))]
        part = told(measure.epochs_to("test_accuracy", 0.8), 10, records=runs)
        (mark,) = marks([part], {"ce": runs}, "test_accuracy")
        assert mark.epoch == 10

    def test_other_whole_numbers_are_no_epochs(self) -> None:
        for of in (lambda _: 2.0, lambda _: 0.0, lambda r: 3.0 + 20 * r.seed):
            part = told(of, 2)
            assert marks([part], {"ce": SEEDS}, "test_accuracy") == []


class TestLayers:
    RUNS: Mapping[str, Sequence[Record]] = {"relu": [record(SHORT, s) for s in range(2)]}

    def test_a_layer_and_the_mean_of_layers_are_told_apart(self) -> None:
        records = self.RUNS["relu"]
        layer = told(measure.final("non_positive.layer1"), 0.85, records=records, arm="relu")
        mean = told(measure.mean_over_layers("non_positive"), 0.54, records=records, arm="relu")
        both = [layer, mean]
        for curve, value in (
            (layer_of("non_positive", "layer1"), [0.85]),
            (layers_mean("non_positive"), [0.54]),
            (layer_of("non_positive", "layer2"), []),
            (layer_of("dead", "layer1"), []),
            (layer_of("nothing", "layer1"), []),
            (layers_mean("nothing"), []),
        ):
            assert [mark.value for mark in marks(both, self.RUNS, curve)] == value


class TestClasses:
    def test_a_class_is_found_by_its_accuracies(self) -> None:
        runs = {"vgg": [classifier(0), classifier(1)]}
        cat = told(measure.class_accuracy("cat"), 0.804, records=runs["vgg"], arm="vgg")
        animals = told(measure.class_accuracy("cat", "dog"), 0.5, records=runs["vgg"], arm="vgg")
        (mark,) = class_marks([cat, animals], runs)
        assert (CLASSES[int(mark.epoch)], mark.value) == ("cat", 0.804)

    def test_a_mean_of_classes_is_found_by_three_runs(self) -> None:
        records = [classifier(seed) for seed in range(3)]
        of = measure.class_accuracy("airplane", "automobile", "ship", "truck")
        part = told(of, 0.947, records=records, arm="vgg")
        cat = told(measure.class_accuracy("cat"), 0.804, records=records, arm="vgg")
        classes = ["airplane", "automobile", "ship", "truck"]
        assert class_means([part, cat], {"vgg": records}) == [("vgg", 0.947, classes)]
        assert class_marks([part], {"vgg": records}) == []
        assert class_means([part], {"vgg": records[:2]}) == []
        every = told(measure.class_accuracy(*CLASSES), 0.9, records=records, arm="vgg")
        assert class_means([every], {"vgg": records}) == []  # that is test accuracy, a curve's

    def test_runs_without_classes_have_none(self) -> None:
        part = told(measure.final("test_accuracy"), 0.8)
        assert class_marks([part], {"ce": SEEDS}) == []
        assert class_means([part], {"ce": SEEDS}) == []
