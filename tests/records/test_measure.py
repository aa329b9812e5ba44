"""Numbers read off a record, worked out here by hand; also of runs that ended early."""

import math
from typing import Any

import pytest

from cvclaims.recipe import Recipe
from cvclaims.records import Record, measure
from cvclaims.verdict import rules
from tests.records.factory import record

NAN = math.nan
FOUR = Recipe(data="digits", lr=0.1, epochs=4, model_args={"hidden": (10, 4)})
FIVE, SIX = FOUR.but(epochs=5), FOUR.but(epochs=6)
EVALUATED = "evaluated_train_accuracy"
PROBES: dict[str, Any] = {
    "gradient_norm": [4.0, 2.0, 1.0, 1.0],
    "gradient_norms": {"layers.0.weight": [3.0, 2.0, 1.0, 0.5], "layers.0.bias": [0.0] * 4},
    "non_positive": {"layer1": [0.1, 0.2, 0.3, 0.4], "layer2": [0.8, 0.8, 0.8, 0.8]},
    "dead": {"layer1": [0.0, 0.1, 0.2, 0.3], "layer2": [0.25, 0.25, 0.25, 0.75]},
}


def whole() -> Record:
    return record(FOUR, accuracy=[0.2, 0.8, 0.6, 0.7], loss=[2.0, 1.0, 0.5, 0.25], probes=PROBES)


def diverged() -> Record:
    """Three epochs of five; in the third its loss was no longer finite."""
    return record(
        FIVE,
        status="diverged",
        accuracy=[0.2, 0.6, 0.1],
        loss=[2.0, 4.0, NAN],
        probes={"gradient_norm": [1.0, 3.0, None]},
    )


class TestSeries:
    def test_curves_and_probes_by_path(self) -> None:
        assert measure.series(whole(), "test_accuracy") == [0.2, 0.8, 0.6, 0.7]
        assert measure.series(whole(), "lr") == [0.1] * 4
        assert measure.series(whole(), "gradient_norm") == [4, 2, 1, 1]
        assert measure.series(whole(), "non_positive.layer2") == [0.8] * 4

    def test_null_is_not_a_number(self) -> None:
        first, second, third = measure.series(diverged(), "gradient_norm")
        assert (first, second, math.isnan(third)) == (1, 3, True)

    @pytest.mark.parametrize(
        "name", ["accuracy", "dead.layer3", "gradient_norm.layer1", "dead.layer1.0", "", "."]
    )
    def test_what_is_not_there_is_told_what_is(self, name: str) -> None:
        with pytest.raises(KeyError, match=f"no series '{name}' in this record: it has train_loss"):
            measure.series(whole(), name)

    def test_a_group_is_no_series(self) -> None:
        with pytest.raises(KeyError, match="holds several: layer1, layer2"):
            measure.final("dead")(whole())

    def test_parameters_have_dots_in_their_names(self) -> None:
        name = "gradient_norms.layers.0.weight"
        assert measure.series(whole(), name) == [3, 2, 1, 0.5]
        assert measure.final(name)(whole()) == 0.5


class TestOneEpoch:
    def test_first_final_best(self) -> None:
        assert measure.first("test_accuracy")(whole()) == 0.2
        assert measure.final("test_accuracy")(whole()) == 0.7
        assert measure.best("test_accuracy")(whole()) == 0.8

    def test_of_a_run_that_diverged(self) -> None:
        assert measure.first("train_loss")(diverged()) == 2
        assert math.isnan(measure.final("train_loss")(diverged()))
        assert measure.final("test_accuracy")(diverged()) == 0.1  # its accuracy counts

    @pytest.mark.parametrize(
        "loss", [[NAN, 2.0, 4.0], [2.0, NAN, 4.0], [4.0, 2.0, NAN], [NAN, 4.0, NAN]]
    )
    def test_the_best_does_not_depend_on_where_a_nan_stands(self, loss: list[float]) -> None:
        of = record(FIVE, status="diverged", accuracy=[0.5] * 3, loss=loss)
        assert measure.best("train_loss")(of) == 4

    def test_nothing_but_nan_has_no_best(self) -> None:
        of = record(FIVE, status="diverged", accuracy=[0.5], loss=[NAN])
        assert math.isnan(measure.best("train_loss")(of))


class TestWindows:
    """A loss of 1, 2, 4, 8 and so on tells every window by its mean."""

    TEN = record(FOUR.but(epochs=10), loss=[2.0**i for i in range(10)])

    @pytest.mark.parametrize(
        ("start", "stop", "epochs"),
        [
            (1, None, range(1, 11)),
            (1, 1, [1]),
            (1, 3, [1, 2, 3]),
            (4, 6, [4, 5, 6]),
            (10, 10, [10]),
            (8, None, [8, 9, 10]),
            (-3, None, [8, 9, 10]),
            (-1, None, [10]),
            (-10, None, range(1, 11)),
            (-99, None, range(1, 11)),
            (-3, 9, [8, 9]),
            (9, 99, [9, 10]),
        ],
    )
    def test_epochs_count_from_one_and_both_ends_belong(
        self, start: int, stop: int | None, epochs: list[int]
    ) -> None:
        values = [2.0 ** (epoch - 1) for epoch in epochs]
        mean = sum(values) / len(values)
        assert measure.mean_of("train_loss", start, stop)(self.TEN) == pytest.approx(mean)
        if len(values) > 1:
            variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
            std = measure.std_of("train_loss", start, stop)(self.TEN)
            assert std == pytest.approx(math.sqrt(variance))

    def test_epochs_beyond_the_recipe_are_none(self) -> None:
        for function in (measure.mean_of("train_loss", 11), measure.std_of("train_loss", 11, 20)):
            assert math.isnan(function(self.TEN))

    def test_one_epoch_has_no_spread(self) -> None:
        assert math.isnan(measure.std_of("train_loss", 3, 3)(self.TEN))

    def test_there_is_no_epoch_0(self) -> None:
        with pytest.raises(ValueError, match="counted from 1"):
            measure.mean_of("train_loss", 0)(self.TEN)

    def test_the_end_is_the_recipes_not_the_runs(self) -> None:
        # The last three epochs are 3, 4 and 5, of which this run saw one.
        assert math.isnan(measure.mean_of("test_accuracy", -3)(diverged()))
        assert math.isnan(measure.std_of("test_accuracy", -3)(diverged()))
        assert measure.mean_of("test_accuracy", -4, 3)(diverged()) == pytest.approx(0.35)
        assert math.isnan(measure.mean_of("test_accuracy", 1)(diverged()))
        assert measure.mean_of("test_accuracy", 1, 3)(diverged()) == pytest.approx(0.3)
        assert measure.std_of("test_accuracy", 1, 2)(diverged()) == pytest.approx(0.4 / 2**0.5)
        assert math.isnan(measure.mean_of("train_loss", 2, 3)(diverged()))

    def test_variation_is_the_spread_over_the_mean(self) -> None:
        # 4, 2, 1, 1: mean 2, variance (4 + 0 + 1 + 1) / 3 = 2
        assert measure.variation_of("gradient_norm")(whole()) == pytest.approx(2**0.5 / 2)
        assert math.isnan(measure.variation_of("gradient_norm")(diverged()))
        flat = record(FOUR, loss=0.0)
        assert math.isnan(measure.variation_of("train_loss")(flat))

    def test_drop(self) -> None:
        assert measure.drop("train_loss", 1, 3)(whole()) == 1.5
        assert measure.drop("train_loss", 2, 2)(whole()) == 0
        assert measure.drop("train_loss", 2, 4)(whole()) == 0.75
        assert measure.drop("test_accuracy", 1, 2)(whole()) == pytest.approx(-0.6)

    @pytest.mark.parametrize(("start", "stop"), [(1, 5), (5, 6), (4, 5)])
    def test_a_drop_to_an_epoch_that_is_not_there(self, start: int, stop: int) -> None:
        assert math.isnan(measure.drop("train_loss", start, stop)(whole()))
        assert math.isnan(measure.drop("train_loss", start, stop)(diverged()))

    @pytest.mark.parametrize(
        ("start", "stop", "smallest"),
        [(1, 4, 0.2), (2, 4, 0.6), (2, 2, 0.8), (4, None, 0.7), (-2, None, 0.6), (-9, None, 0.2)],
    )
    def test_the_smallest(self, start: int, stop: int | None, smallest: float) -> None:
        assert measure.min_of("test_accuracy", start, stop)(whole()) == smallest

    @pytest.mark.parametrize(("start", "stop"), [(3, 5), (5, 6), (5, None), (25, 50)])
    def test_the_smallest_of_a_window_that_is_not_all_there(
        self, start: int, stop: int | None
    ) -> None:
        assert math.isnan(measure.min_of("test_accuracy", start, stop)(whole()))

    def test_the_smallest_of_a_diverged_run(self) -> None:
        assert math.isnan(measure.min_of("test_accuracy", 2, 4)(diverged()))
        assert math.isnan(measure.min_of("train_loss", 2, 3)(diverged()))
        assert measure.min_of("test_accuracy", 2, 3)(diverged()) == 0.1

    def test_the_mean_logarithm(self) -> None:
        # 4, 2, 1, 1: the product is 8
        mean = measure.mean_log_of("gradient_norm")
        assert mean(whole()) == pytest.approx(math.log(8) / 4)
        assert measure.mean_log_of("gradient_norm", 1, 2)(whole()) == pytest.approx(math.log(8) / 2)
        assert math.isnan(mean(diverged()))
        zeros = measure.mean_log_of("gradient_norms.layers.0.bias")
        assert zeros(whole()) == pytest.approx(math.log(measure.SMALLEST))

    def test_the_logarithm_of_a_negative_number(self) -> None:
        of = record(FOUR, probes={"gradient_norm": [1.0, -1.0, 1.0, 1.0]})
        assert math.isnan(measure.mean_log_of("gradient_norm")(of))


class TestSeveralSeries:
    def test_a_ratio_of_means(self) -> None:
        ratio = measure.ratio_of_means("gradient_norm", "gradient_norms.layers.0.weight")
        assert ratio(whole()) == pytest.approx(8 / 6.5)

    def test_what_underflowed_is_small_and_not_zero(self) -> None:
        weight, bias = "gradient_norms.layers.0.weight", "gradient_norms.layers.0.bias"
        assert measure.SMALLEST == rules.SMALLEST
        assert measure.ratio_of_means(weight, bias)(whole()) == 1.625 / measure.SMALLEST
        assert measure.ratio_of_means(bias, weight)(whole()) == measure.SMALLEST / 1.625
        assert measure.ratio_of_means(bias, bias)(whole()) == 1

    def test_a_ratio_of_a_diverged_run(self) -> None:
        ratio = measure.ratio_of_means("gradient_norm", "test_accuracy")
        assert math.isnan(ratio(diverged()))

    def test_at_the_lowest_of_another(self) -> None:
        of = record(FOUR, accuracy=[0.2, 0.8, 0.6, 0.7], loss=[2.0, 0.5, 0.5, 0.9])
        assert measure.at_lowest("test_accuracy", "train_loss")(of) == 0.8
        assert measure.at_lowest("test_accuracy", "train_loss")(whole()) == 0.7
        assert measure.at_lowest("test_accuracy", "train_loss")(diverged()) == 0.2
        lost = record(FIVE, status="diverged", accuracy=[0.5], loss=[NAN])
        assert math.isnan(measure.at_lowest("test_accuracy", "train_loss")(lost))

    @pytest.mark.parametrize(("threshold", "failed"), [(0.15, 0), (0.79, 0), (0.8, 1), (1, 1)])
    def test_never_above(self, threshold: float, failed: float) -> None:
        assert measure.never_above("test_accuracy", threshold)(whole()) == failed

    def test_a_run_without_numbers_never_was_above(self) -> None:
        lost = record(FIVE, status="diverged", accuracy=[0.5], loss=[NAN])
        assert measure.never_above("train_loss", 0.1)(lost) == 1

    def test_the_gap_of_training_and_test(self) -> None:
        of = whole()
        gap = of.series["train_accuracy"][-1] - 0.7
        assert measure.train_test_gap(of) == pytest.approx(gap)


class TestEpochs:
    @pytest.mark.parametrize(
        ("share", "epoch"), [(1.0, 2), (0.99, 2), (0.25, 1), (0.26, 2), (0.0, 1)]
    )
    def test_to_a_share_of_its_own_best(self, share: float, epoch: int) -> None:
        assert measure.epochs_to_share_of_best("test_accuracy", share)(whole()) == epoch

    def test_to_a_share_where_there_is_no_best(self) -> None:
        lost = record(FIVE, status="diverged", accuracy=[0.5], loss=[NAN])
        assert math.isnan(measure.epochs_to_share_of_best("train_loss", 0.9)(lost))
        assert measure.epochs_to_share_of_best("train_loss", 0.9)(diverged()) == 2

    @pytest.mark.parametrize(
        ("threshold", "epoch"), [(0.2, 1), (0.21, 2), (0.8, 2), (0.81, 5), (1.0, 5)]
    )
    def test_to_a_threshold_or_one_more_than_there_are(self, threshold: float, epoch: int) -> None:
        assert measure.epochs_to("test_accuracy", threshold)(whole()) == epoch

    def test_a_diverged_run_never_gets_there(self) -> None:
        assert measure.epochs_to("test_accuracy", 0.6)(diverged()) == 2
        assert measure.epochs_to("test_accuracy", 0.7)(diverged()) == 6
        assert measure.epochs_to("train_loss", 5)(diverged()) == 6


class TestUnits:
    def test_mean_over_layers_is_of_the_last_epoch(self) -> None:
        assert measure.mean_over_layers("non_positive")(whole()) == pytest.approx(0.6)

    def test_dead_units_are_counted_by_the_width_of_their_layer(self) -> None:
        assert measure.dead_units(whole()) == 3 + 3  # 0.3 of 10, 0.75 of 4

    def test_shares_are_rounded_to_whole_units(self) -> None:
        of = record(
            FOUR.but(model_args={"hidden": (3, 7)}),
            probes={"dead": {"layer1": [0.3333333] * 4, "layer2": [0.5714286] * 4}},
        )
        assert measure.dead_units(of) == 1 + 4

    def test_a_layer_too_few_is_an_error(self) -> None:
        of = record(FOUR, probes={"dead": {"layer1": [0.0] * 4}})
        with pytest.raises(ValueError, match="zip"):
            measure.dead_units(of)


class TestClasses:
    SHARES = tuple(i / 10 for i in range(10))

    def test_the_mean_over_the_named_ones(self) -> None:
        of = record(FOUR, class_accuracy=self.SHARES)
        assert measure.class_accuracy("3")(of) == 0.3
        assert measure.class_accuracy("9", "0")(of) == pytest.approx(0.45)

    def test_a_class_without_samples_has_none(self) -> None:
        of = record(FOUR, class_accuracy=[NAN, *self.SHARES[1:]])
        assert math.isnan(measure.class_accuracy("0", "1")(of))
        assert measure.class_accuracy("1")(of) == 0.1

    def test_an_unknown_class(self) -> None:
        of = record(FOUR.but(data="moons"), class_accuracy=[0.5, 0.5])
        with pytest.raises(ValueError, match=r"unknown class 'uper': did you mean 'upper'\?"):
            measure.class_accuracy("uper")(of)

    def test_of_a_choice_of_classes(self) -> None:
        recipe = Recipe(data="digits", classes=("7", "2"), lr=0.1, epochs=4)
        of = record(recipe, class_accuracy=[0.7, 0.2])
        assert measure.class_accuracy("7")(of) == 0.7
        assert measure.lowest_class(of) == 1
        assert measure.is_lowest_class("2")(of) == 1
        with pytest.raises(ValueError, match="unknown class '3'"):
            measure.class_accuracy("3")(of)

    def test_the_lowest(self) -> None:
        of = record(FOUR, class_accuracy=self.SHARES)
        assert measure.lowest_class(of) == 0
        assert measure.is_lowest_class("0")(of) == 1
        assert measure.is_lowest_class("9")(of) == 0

    @pytest.mark.parametrize("shares", [[0.1, 0.1, *SHARES[2:]], [NAN, *SHARES[1:]], [NAN] * 10])
    def test_none_is_the_lowest(self, shares: list[float]) -> None:
        of = record(FOUR, class_accuracy=shares)
        assert math.isnan(measure.lowest_class(of))
        assert math.isnan(measure.is_lowest_class("0")(of))


class TestUnsteadiness:
    @pytest.mark.parametrize("slope", [0.0, 0.125, -0.5])
    def test_a_straight_line_is_steady(self, slope: float) -> None:
        line = [8 + slope * epoch for epoch in range(6)]
        assert measure.jitter_of("train_loss")(record(SIX, loss=line)) == 0

    def test_by_hand(self) -> None:
        # Second differences 3, -4, 4, -5: mean -0.5, about it 12.25 + 12.25 + 20.25 + 20.25.
        rough = record(SIX, loss=[0.0, 1.0, 5.0, 5.0, 9.0, 8.0])
        assert measure.jitter_of("train_loss")(rough) == pytest.approx(math.sqrt(65 / 3))
        assert measure.jitter_of("train_loss", 1, 4)(rough) == pytest.approx(math.sqrt(24.5))
        assert measure.jitter_of("train_loss", -4)(rough) == pytest.approx(math.sqrt(40.5))

    def test_too_few_epochs_or_none_of_them_a_number(self) -> None:
        assert math.isnan(measure.jitter_of("train_loss", 1, 3)(whole()))
        assert math.isnan(measure.jitter_of("train_loss")(diverged()))


class TestGapInEvaluationMode:
    def test_what_training_ends_with(self) -> None:
        probed = record(FOUR, accuracy=[0.2, 0.8, 0.6, 0.7], probes={EVALUATED: 0.95})
        assert measure.evaluated_gap(probed) == pytest.approx(0.25)
        assert measure.is_share(measure.evaluated_gap)

    def test_what_early_stopping_goes_back_to(self) -> None:
        stopping = FOUR.but(patience=2)
        probed = record(
            stopping, accuracy=[0.2, 0.8, 0.6, 0.7], loss=[2, 1, 1.5, 3], probes={EVALUATED: 0.95}
        )
        assert measure.evaluated_gap(probed) == pytest.approx(0.15)

    def test_none_where_there_is_no_number(self) -> None:
        assert math.isnan(measure.evaluated_gap(record(probes={EVALUATED: None})))


def test_one_epochs_value() -> None:
    assert measure.at_epoch("test_accuracy", 2)(whole()) == 0.8
    assert math.isnan(measure.at_epoch("train_loss", 4)(diverged()))


def test_a_run_that_diverged() -> None:
    assert (measure.diverged(whole()), measure.diverged(diverged())) == (0, 1)


def test_a_run_that_ends_at_its_best() -> None:
    ends = measure.ends_at_best("test_accuracy")
    assert (ends(whole()), ends(record(FOUR, accuracy=[0.2, 0.7, 0.6, 0.7]))) == (0, 1)


@pytest.mark.parametrize(("last", "expected"), [(0.0, 1), (5e-324, 0), (None, 0)])
def test_the_first_gradient_is_exactly_zero(last: float | None, expected: float) -> None:
    norms = {"a.weight": [1.0, last], "a.bias": [0.0, 0.0]}
    assert measure.first_gradient_is_zero(record(probes={"gradient_norms": norms})) == expected


def test_activations_near_zero_or_one() -> None:
    ends = {"edges": [0.0, 0.05, 0.5, 0.95, 1.0], "counts": [0.4, 0.1, 0.2, 0.3]}
    middle = {"edges": [0.4, 0.5, 0.6], "counts": [0.5, 0.5]}
    probes = {"histograms": {"layer1": ends, "layer2": middle}}
    # Of the first layer all of the outer bins, and of the inner ones 0.05 of 0.45 each.
    share = 0.7 + 0.3 * 0.05 / 0.45
    assert measure.near_ends(0.1)(record(probes=probes)) == pytest.approx(share / 2)
    assert measure.near_ends(0.5)(record(probes=probes)) == pytest.approx(1)
    assert math.isnan(measure.near_ends(0.1)(record(probes={"histograms": {}})))
