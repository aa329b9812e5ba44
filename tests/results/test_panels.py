"""Every figure is drawn from whatever records hold, and from nothing else."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from cvclaims.records.record import Record, rounded
from cvclaims.results.figures import axes, curves, drawing, gradients, panels, probes
from cvclaims.results.figures.groups import Reported, Subject
from cvclaims.trainable import Training
from tests.results.synthetic import (
    CE,
    CLASSES,
    CONVOLUTIONAL,
    MOONS,
    MSE,
    SHORT,
    classifier,
    judged,
    record,
)

NETS = {"relu": SHORT, "leaky_relu": SHORT.but(model_args={"activation": "leaky_relu"})}
Drawn: TypeAlias = dict[str, bytes | None]
TITLE = "Moons · full scale · 2 seeds"
RUNS = {name: [record(recipe, seed) for seed in (0, 1)] for name, recipe in NETS.items()}


# A network of eight convolutions with batch norm, whose gradients shrink towards the input.
LAYERS = [f"features.{3 * i}" for i in range(8)]
NORMS = {
    f"{name}.{kind}": [10.0 ** (i - 8) * (1 + e) for e in range(4)]
    for i, conv in enumerate(LAYERS)
    for name, kind in ((conv, "weight"), (conv, "bias"), (f"features.{3 * i + 1}", "weight"))
}
SMALL = record(SHORT, 0, numbers={"parameters": 500, "images_per_second": 1.0})
DEEP = {
    "deep": [record(SHORT, 0, probes={"gradient_norms": NORMS})],
    "shallow": RUNS["relu"],
}


def changed(**probe: Any) -> Subject:
    whole = RUNS["relu"][0].probes
    return Subject({"relu": [record(SHORT, 0, probes={**whole, **probe})]})


@pytest.fixture(scope="module")
def figures() -> Drawn:
    runs = {kind: DEEP if kind == "gradient-flow" else RUNS for kind in panels.KINDS}
    runs |= {
        "close-up": {"long": [record(MOONS, 0)]},
        "classes": {"vgg": [classifier(0), classifier(1)]},
        "cost": {"large": [record(SHORT, 0)], "small": [SMALL]},
    }
    rows = [judged("5.10", {"relu": SHORT})]
    return {kind: drawing.draw(kind, Subject(of, TITLE, rows=rows)) for kind, of in runs.items()}


def test_figures_are_small_and_free_of_metadata(figures: Drawn) -> None:
    for name, content in figures.items():
        assert content is not None, name
        assert len(content) < 150_000
        text = content.decode()
        assert not re.search("matplotlib.org|<dc:date>|DOCTYPE|<script", text)
        width = ElementTree.fromstring(text).get("width", "")
        assert 0 < float(width.removesuffix("pt")) < 1000


def test_ink_follows_the_reader_and_numbers_stay_as_they_are() -> None:
    content = drawing.svg(lambda: one_line("0.98765 of 12.3456"), "0.98765")
    assert content is not None
    text = content.decode()
    assert text.count("0.98765") == 2
    assert "12.3456" in text
    assert "prefers-color-scheme:dark" in text
    assert axes.INK.lower() not in text.replace(drawing._SCHEMES, "")
    assert re.search(r'd="M [\d.]+ [\d.]+', text)
    assert not re.search(r' d="[^"]*\d\.\d\d', text)


def one_line(title: str) -> Figure:
    figure = Figure(figsize=(3, 2))
    part = figure.subplots()
    part.plot([0.1, 0.23456, 0.7], [1, 3, 2])
    part.set_title(title)
    return figure


def test_the_readers_own_settings_neither_count_nor_change(
    figures: dict[str, bytes | None],
) -> None:
    with matplotlib.rc_context({"font.size": 30, "axes.grid": False}):
        assert drawing.draw("boundary", Subject(RUNS, TITLE)) == figures["boundary"]
        assert matplotlib.rcParams["font.size"] == 30


def test_recipes_without_probes_have_curves_alone() -> None:
    subject = Subject({"ce": [record(CE)], "mse": [record(MSE)]})
    assert [kind for kind, draw in panels.KINDS.items() if draw(subject)] == ["curves"]


def test_curves_have_a_panel_for_each_quantity_that_was_recorded() -> None:
    figure = curves.curves(Subject(RUNS))
    assert figure is not None
    titles = [part.get_title() for part in figure.axes]
    assert titles == list(curves.PANELS.values())
    figure = curves.curves(Subject({"ce": [record(CE, probes={})]}))
    assert figure is not None
    assert curves.PANELS["gradient_norm"] not in [part.get_title() for part in figure.axes]
    assert len(figure.axes) == 5


def test_a_line_is_the_mean_over_seeds() -> None:
    figure = curves.curves(Subject(RUNS))
    assert figure is not None
    drawn = figure.axes[4].lines[0].get_ydata()
    means = np.mean([r.series["test_accuracy"] for r in RUNS["relu"]], axis=0)
    np.testing.assert_allclose(np.asarray(drawn), means)


def test_runs_that_diverged_are_drawn_as_far_as_they_went_and_counted() -> None:
    runs = {"ce": [record(CE, 0), record(CE, 1, diverged=True)], "mse": [record(MSE)]}
    figure = curves.curves(Subject(runs))
    assert figure is not None
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "ce (2 seeds, 1 of 2 diverged)",
        "mse (1 seed)",
    ]
    assert curves.curves(Subject({"ce": [record(CE, diverged=True)]})) is not None


def test_numbers_that_never_were_finite_make_no_panel() -> None:
    series = {**record(SHORT).series, "train_loss": [math.nan] * 4}
    figure = curves.curves(Subject({"ce": [record(SHORT, series=series)]}))
    assert figure is not None
    assert "training loss" not in [part.get_title() for part in figure.axes]


@pytest.mark.parametrize("norm", [[0.0] * 4, [0.0, 1e-30, 1.0, 5.0], [None, 1.0, 2.0, 1e30]])
def test_gradients_of_any_size_can_be_drawn(norm: list[float | None]) -> None:
    assert drawing.draw("curves", changed(gradient_norm=norm)) is not None


def test_many_recipes_keep_lines_apart() -> None:
    runs = {f"lr_{n}": [record(SHORT.but(lr=0.001 * n))] for n in range(1, 10)}
    figure = curves.curves(Subject(runs))
    assert figure is not None
    lines = list(figure.axes[0].lines)
    assert len({line.get_color() for line in lines}) == len(axes.COLOURS)
    # Colours come round again at the eighth, with other dashes.
    assert lines[0].get_color() == lines[7].get_color()
    assert not lines[0].is_dashed()
    assert lines[7].is_dashed()


def test_the_heat_map_writes_the_last_epoch_beside_each_layer() -> None:
    figure = panels.dead_units(Subject(RUNS))
    assert figure is not None
    assert [part.get_title() for part in figure.axes[:4]] == [
        "relu: activations ≤ 0",
        "leaky_relu: activations ≤ 0",
        "relu: dead units",
        "leaky_relu: dead units",
    ]
    last = np.mean([r.probes["non_positive"]["layer1"][-1] for r in RUNS["relu"]])
    assert figure.axes[0].texts[0].get_text() == f"{last:.2f}"


def test_one_definition_of_dead_is_enough_for_a_heat_map() -> None:
    assert panels.dead_units(changed(dead=None)) is not None
    assert panels.dead_units(changed(dead={}, non_positive={})) is None


def test_each_seed_has_its_own_boundary_unless_it_prefers_one_class_everywhere() -> None:
    flat = {"x": [-1, 1], "y": [-1, 1], "probability": [[0.9, 0.9], [0.9, 0.9]]}
    assert drawing.draw("boundary", changed(boundary=flat)) is not None
    figure = panels.boundary(Subject(RUNS))
    assert figure is not None
    assert figure.axes[0].get_title().startswith("relu\ntest accuracy 0.9")


@pytest.mark.parametrize(
    "broken",
    [
        None,
        3,
        "text",
        [],
        {},
        {"layer1": None},
        {"layer1": {"edges": [0, 1], "counts": [1, 2, 3]}},
        {"layer1": {"edges": [0, None], "counts": [1]}},
        {"layer1": [[0.1], [0.2]]},
        {"layer1": ["a", "b"]},
    ],
)
def test_probes_of_another_shape_are_left_out(broken: object) -> None:
    subject = changed(
        histograms=broken, dead=broken, non_positive=broken, boundary=broken, gradient_norm=broken
    )
    assert [kind for kind, draw in panels.KINDS.items() if draw(subject)] == ["curves"]


@pytest.mark.parametrize(
    "broken",
    [
        {"probability": [0.5]},
        {"probability": [[0.5, 0.5], [0.5]]},
        {"probability": [[0.5, None], [0.5, 0.5]]},
        {"y": [0]},
        {"x": None},
    ],
)
def test_a_grid_of_another_shape_is_left_out(broken: dict[str, object]) -> None:
    grid = {"x": [0, 1], "y": [0, 1], "probability": [[0.5, 0.5], [0.5, 0.5]]}
    assert panels.boundary(changed(boundary=grid)) is not None
    assert panels.boundary(changed(boundary=grid | broken)) is None


def test_a_grid_of_other_data_is_left_out() -> None:
    other = {
        "x": [-9, 9],
        "y": [-9, 9],
        "probability": RUNS["relu"][0].probes["boundary"]["probability"],
    }
    grids, extent = probes.boundaries([*RUNS["relu"], *changed(boundary=other).runs["relu"]])
    assert grids.shape == (2, 40, 40)
    assert extent == (-2.5, 2.5, -2.5, 2.5)


@pytest.mark.parametrize("kind", panels.KINDS)
def test_no_records_make_no_figure(kind: str) -> None:
    assert drawing.draw(kind, Subject({"relu": []})) is None


def test_odd_names_and_titles_are_drawn_as_they_are() -> None:
    odd = Subject({"활성": [record(SHORT)], "$x_1$": [record(CE)]}, "$x 손실 · a_b · 100 %")
    assert drawing.draw("curves", odd) is not None


class TestGradientFlow:
    def test_a_line_runs_through_every_layer_and_passes_over_norms(self) -> None:
        figure = gradients.gradient_flow(Subject(DEEP))
        assert figure is not None
        ends, profile, flow, _ = figure.axes
        assert flow.get_title() == "deep: every layer"
        shown = np.asarray(flow.images[0].get_array())
        assert shown == pytest.approx(
            np.array([NORMS[f"{name}.weight"] for name in LAYERS], dtype=float)
        )
        (line,) = profile.get_lines()  # the shallow network has no flow to show
        assert line.get_label() == "deep"
        assert line.get_xdata() == pytest.approx(np.linspace(0, 1, 8))
        assert line.get_ydata() == pytest.approx([2.5 * 10.0 ** (i - 8) for i in range(8)])
        first, last = (part.get_ydata() for part in ends.get_lines())
        assert first == pytest.approx(NORMS["features.0.weight"])
        assert last == pytest.approx(NORMS["features.21.weight"])
        assert "×" not in ends.get_title()

    def test_a_gradient_of_zero_leaves_a_gap(self) -> None:
        norms = {**NORMS, "features.0.weight": [0.0] * 4}
        figure = gradients.gradient_flow(
            Subject({"deep": [record(SHORT, 0, probes={"gradient_norms": norms})]})
        )
        assert figure is not None
        assert np.isnan(np.asarray(figure.axes[1].get_lines()[0].get_ydata())[0])

    def test_a_gradient_that_becomes_zero_is_marked(self) -> None:
        norms = {**NORMS, "features.0.weight": [0.5, 0.25, 0.0, 0.0]}
        figure = gradients.gradient_flow(
            Subject({"deep": [record(SHORT, 0, probes={"gradient_norms": norms})]})
        )
        assert figure is not None
        first, mark, last = figure.axes[0].get_lines()
        assert mark.get_xydata() == pytest.approx(np.array([[2, 0.25]]))
        assert figure.axes[0].get_title().endswith("× then 0")
        assert np.isnan(np.asarray(first.get_ydata())[2:]).all()
        assert last.get_ydata() == pytest.approx(NORMS["features.21.weight"])

    @pytest.mark.parametrize("name", ["bn1", "layer1.0.bn2", "layer1.0.downsample.1"])
    def test_names_of_norms_in_a_resnet(self, name: str) -> None:
        layers = {
            "layer1.0.downsample.0.weight": np.ones((1, 1)),
            f"{name}.weight": np.ones((1, 1)),
        }
        assert gradients._is_norm(f"{name}.weight", layers)
        assert not gradients._is_norm("layer1.0.downsample.0.weight", layers)

    def test_shallow_networks_have_none(self) -> None:
        assert gradients.gradient_flow(Subject(RUNS)) is None


def reported(
    arm: str, records: Sequence[Record], measured: Sequence[float], *numbers: float
) -> Reported:
    by_key = {r.key: value for r, value in zip(records, measured, strict=True)}
    return Reported(("moons", "5.10", ""), arm, numbers, by_key)


def last(records: Sequence[Record], curve: str) -> list[float]:
    return [r.series[curve][-1] for r in records]


def marks_of(part: Axes) -> list[tuple[float, float, str, str]]:
    """The open marks of a panel: x, y, shape, colour."""
    found = []
    for line in part.lines:
        if line.get_label() == "reported":
            ((x, y),) = np.asarray(line.get_xydata()).tolist()
            found.append((x, y, str(line.get_marker()), str(line.get_color())))
    return found


class TestReported:
    RELU, LEAKY = RUNS["relu"], RUNS["leaky_relu"]
    TOLD = (
        reported("relu", RELU, last(RELU, "test_accuracy"), 0.9267),
        reported("leaky_relu", LEAKY, last(LEAKY, "test_accuracy"), 0.93, 0.94),
        reported("relu", RELU, last(RELU, "train_loss"), 0.27),
        reported("relu", RELU, [12.5, 13.5], 51.6),
    )

    def test_a_number_is_marked_where_it_is_in_the_unit_of_the_panel(self) -> None:
        figure = curves.curves(Subject(RUNS, reported=self.TOLD))
        assert figure is not None
        found = {part.get_title(): marks_of(part) for part in figure.axes}
        blue, red = axes.COLOURS[:2]
        assert found.pop("training loss") == [(4, 0.27, "D", blue)]
        assert found.pop("test accuracy (share)") == [
            (4, 0.9267, "D", blue),
            (4, pytest.approx(0.935), "s", red),
        ]
        assert not any(found.values())

    def test_marks_are_open_and_the_reports_runs_are_dots(self) -> None:
        figure = curves.curves(Subject(RUNS, reported=self.TOLD))
        assert figure is not None
        lines = figure.axes[4].lines
        marked = [line for line in lines if line.get_label() == "reported"]
        assert {line.get_markerfacecolor() for line in marked} == {"none"}
        (dots,) = (line for line in lines if line.get_marker() == ".")
        assert list(np.asarray(dots.get_ydata())) == [0.93, 0.94]

    def test_the_legend_names_them_below_their_arms(self) -> None:
        figure = curves.curves(Subject(RUNS, reported=self.TOLD[:1]))
        assert figure is not None
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
        assert texts == ["relu", "reported (accuracy 0.9267)", "leaky_relu", " "]
        plain = curves.curves(Subject(RUNS))
        assert plain is not None
        texts = [text.get_text() for text in plain.legends[0].get_texts()]
        assert texts == ["relu", "leaky_relu"]

    def test_a_boundary_says_what_is_reported(self) -> None:
        figure = panels.boundary(Subject(RUNS, reported=self.TOLD[:1]))
        assert figure is not None
        one, other = (part.get_title() for part in figure.axes[:2])
        assert one.endswith("\nreported 0.927")
        assert "reported" not in other

    def test_a_heat_map_says_what_is_reported(self) -> None:
        shares = [r.probes["non_positive"]["layer1"][0] for r in self.RELU]
        told = [reported("relu", self.RELU, shares, 0.3)]
        figure = panels.dead_units(Subject(RUNS, reported=told))
        assert figure is not None
        titles = [part.get_title() for part in figure.axes[:4]]
        assert titles[0] == "relu: activations ≤ 0\nreported 0.3 (layer1, first epoch)"
        assert not any("reported" in title for title in titles[1:])

    @pytest.mark.parametrize("kind", panels.KINDS)
    def test_numbers_of_runs_that_diverged_break_nothing(self, kind: str) -> None:
        runs = {"relu": [record(SHORT, 0, diverged=True)], "gone": []}
        told = [
            Reported(("a", "1", ""), "relu", (0.5,), {runs["relu"][0].key: None}),
            Reported(("a", "1", ""), "gone", (0.5,), {}),
            Reported(("a", "1", ""), "elsewhere", (0.5,), {"key": 0.5}),
        ]
        drawn = drawing.draw(kind, Subject(runs, "t", reported=told))
        assert (drawn is None) == (kind in ("dots", "close-up", "classes", "gradient-flow", "cost"))


class TestCloseUp:
    def test_it_shows_the_first_epochs_and_the_smoothed_loss(self) -> None:
        runs = {"relu": [record(MOONS, 0), record(MOONS, 1)]}
        figure = curves.close_up(Subject(runs))
        assert figure is not None
        accuracy, loss, smooth = figure.axes
        means = np.mean([r.series["test_accuracy"] for r in runs["relu"]], axis=0)
        assert accuracy.lines[0].get_ydata() == pytest.approx(means[:20])
        assert loss.lines[0].get_ydata() == pytest.approx(
            np.mean([r.series["train_loss"][:20] for r in runs["relu"]], axis=0)
        )
        thin, thick = smooth.lines
        raw = np.mean([r.series["train_loss"] for r in runs["relu"]], axis=0)
        assert thin.get_ydata() == pytest.approx(raw)
        assert np.asarray(thick.get_ydata())[100] == pytest.approx(raw[98:103].mean())

    def test_short_trainings_need_none(self) -> None:
        for epochs, is_drawn in ((1, False), (40, False), (41, True)):
            figure = curves.close_up(Subject({"relu": [record(SHORT.but(epochs=epochs))]}))
            assert (figure is not None) == is_drawn

    def test_only_what_is_reported_of_the_first_epochs_is_marked(self) -> None:
        records = [record(MOONS, 0), record(MOONS, 1)]
        first = [r.series["test_accuracy"][0] for r in records]
        told = [
            reported("relu", records, first, 0.51),
            reported("relu", records, last(records, "test_accuracy"), 0.9),
        ]
        figure = curves.close_up(Subject({"relu": records}, reported=told))
        assert figure is not None
        assert [marks_of(part) for part in figure.axes] == [
            [(1, 0.51, "D", axes.COLOURS[0])],
            [],
            [],
        ]

    def test_smoothing_is_a_centred_mean_that_keeps_the_ends(self) -> None:
        line = np.array([5.0, 1.0, 3.0, 5.0, 10.0, 4.0])
        assert curves.smoothed(line) == pytest.approx([5, 3, 4.8, 4.6, 19 / 3, 4])
        assert np.isnan(curves.smoothed(np.array([1.0, np.nan, 1.0, 1.0]))).tolist() == [
            False,
            True,
            True,
            False,
        ]


class TestClasses:
    RUNS_OF_TWO: Mapping[str, Sequence[Record]] = {
        "vgg": [classifier(0), classifier(1)],
        "other": [classifier(2)],
    }

    def test_bars_are_means_and_dots_seeds_with_the_best_class_first(self) -> None:
        figure = panels.classes(Subject(self.RUNS_OF_TWO))
        assert figure is not None
        (part,) = figure.axes
        names = [text.get_text() for text in part.get_xticklabels()]
        assert names[0] == "airplane"
        assert names[-1] == "truck"
        bars = part.containers[0]
        means = np.mean([r.class_accuracy for r in self.RUNS_OF_TWO["vgg"]], axis=0)
        assert [bar.get_height() for bar in bars] == pytest.approx(sorted(means, reverse=True))
        assert len(part.lines) == 3  # a line of dots for each seed
        assert part.get_ylim()[0] == 0  # a bar that does not start at 0 misleads

    def test_a_reported_class_is_marked_on_its_bar(self) -> None:
        records = self.RUNS_OF_TWO["vgg"]
        cat = [r.class_accuracy[CLASSES.index("cat")] for r in records]
        figure = panels.classes(
            Subject(self.RUNS_OF_TWO, reported=[reported("vgg", records, cat, 0.804)])
        )
        assert figure is not None
        (part,) = figure.axes
        place = [text.get_text() for text in part.get_xticklabels()].index("cat")
        bar = part.containers[0][place]
        ((x, y, *_),) = marks_of(part)
        assert x == pytest.approx(bar.get_x() + bar.get_width() / 2)
        assert y == 0.804

    def test_a_reported_mean_of_classes_is_written_out(self) -> None:
        records = [classifier(seed) for seed in range(3)]
        both = [np.mean([r.class_accuracy[0], r.class_accuracy[1]]) for r in records]
        told = [reported("vgg", records, rounded([float(x) for x in both]), 0.947)]
        figure = panels.classes(Subject({"vgg": records}, reported=told))
        assert figure is not None
        title = figure.axes[0].get_title()
        assert title.endswith("\nvgg: reported 0.947, the mean of airplane, automobile")

    def test_perceptrons_and_runs_without_classes_have_none(self) -> None:
        perceptron = record(CE, numbers={f"class_accuracy.{n}": 0.5 for n in CE.class_names})
        for runs in ({"ce": [perceptron]}, {"vgg": [record(CONVOLUTIONAL)]}):
            assert panels.classes(Subject(runs)) is None


class TestNamedGradients:
    NAMES = ("features.0.weight", "features.78.bias", "classifier.6.bias")

    def deep(self, *names: str) -> dict[str, Sequence[Record]]:
        norms = {**NORMS, **{name: [0.1 * n] * 4 for n, name in enumerate(names, 1)}}
        return {"vgg_50": [record(SHORT, 0, probes={"gradient_norms": norms})]}

    def test_three_parameters_are_followed_by_name(self) -> None:
        figure = gradients.gradient_flow(Subject(self.deep(*self.NAMES)))
        assert figure is not None
        named = figure.axes[4]
        assert named.get_title() == "vgg_50"
        lines = {line.get_label(): np.asarray(line.get_ydata()) for line in named.lines}
        assert list(lines) == list(self.NAMES)
        assert lines["features.78.bias"] == pytest.approx([0.2] * 4)
        assert [line.is_dashed() for line in named.lines] == [False, True, True]

    def test_a_network_that_lacks_one_has_no_such_panel(self) -> None:
        figure = gradients.gradient_flow(Subject(self.deep(*self.NAMES[:2])))
        assert figure is not None
        assert len(figure.axes) == 4

    def test_one_epoch_is_points(self) -> None:
        norms = {**{name: v[:1] for name, v in NORMS.items()}, **{n: [1.0] for n in self.NAMES}}
        one = {"vgg_50": [record(SHORT.but(epochs=1), probes={"gradient_norms": norms})]}
        figure = gradients.gradient_flow(Subject(one))
        assert figure is not None
        lines = [*figure.axes[0].lines, *figure.axes[3].lines]
        assert {line.get_marker() for line in lines} == {"o"}


def test_an_arm_has_its_colour_in_every_figure() -> None:
    numbers = {"relu": 3, "leaky_relu": 1}
    subject = Subject(RUNS, "t", numbers)
    figure = panels.activations(subject)
    assert figure is not None
    outline = figure.axes[0].patches[1].get_edgecolor()
    assert to_hex(outline, keep_alpha=False).upper() == axes.COLOURS[3]
    figure = curves.curves(subject)
    assert figure is not None
    colours = [line.get_color() for line in figure.axes[0].lines]
    assert colours == [axes.COLOURS[3], axes.COLOURS[1]]


def own(seed: int, **series: list[float]) -> Record:
    """A record of a training of an author's own, as a session without its code reads it."""
    trained = Training.from_canonical({"training": "fit@0123456789abcdef", "settings": {}})
    return record(MOONS, seed, trained=trained, series=series, numbers={"cost": 5.0}, probes={})


def test_what_a_training_of_ones_own_logs_is_drawn() -> None:
    runs = {"ours": [own(n, loss=[1.0, 0.5 + n / 10], f1=[0.2, 0.4 + n / 10]) for n in range(3)]}
    figure = curves.curves(Subject(runs, "title"))
    assert figure is not None
    assert [a.get_title() for a in figure.axes] == ["loss", "f1"]
    drawn = {kind: drawing.draw(kind, Subject(runs, "title")) for kind in panels.KINDS}
    assert [kind for kind, png in drawn.items() if png] == ["curves"]


def test_what_returns_numbers_alone_has_no_curves() -> None:
    runs = {"ours": [own(0), own(1)]}
    assert all(drawing.draw(kind, Subject(runs, "title")) is None for kind in panels.KINDS)
