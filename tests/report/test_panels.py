"""Every figure is drawn from whatever records hold, and from nothing else."""

import io
import math
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import pytest
from PIL import Image

from cvclaims.records.record import Record
from cvclaims.report import drawing, panels, probes
from tests.report.synthetic import CE, MSE, SHORT, record

NETS = {"relu": SHORT, "leaky_relu": SHORT.but(model_args={"activation": "leaky_relu"})}
RUNS = {name: [record(recipe, seed) for seed in (0, 1)] for name, recipe in NETS.items()}


# A network of eight convolutions with batch norm, whose gradients shrink towards the input.
CONVOLUTIONS = [f"features.{3 * i}" for i in range(8)]
NORMS = {
    f"{name}.{kind}": [10.0 ** (i - 8) * (1 + e) for e in range(4)]
    for i, conv in enumerate(CONVOLUTIONS)
    for name, kind in ((conv, "weight"), (conv, "bias"), (f"features.{3 * i + 1}", "weight"))
}
DEEP = {
    "deep": [record(SHORT, 0, probes={"gradient_norms": NORMS})],
    "shallow": RUNS["relu"],
}


def changed(**probe: Any) -> dict[str, Sequence[Record]]:
    whole = RUNS["relu"][0].probes
    return {"relu": [record(SHORT, 0, probes={**whole, **probe})]}


@pytest.fixture(scope="module")
def pngs() -> dict[str, bytes | None]:
    runs = {kind: DEEP if kind == "gradient-flow" else RUNS for kind in panels.KINDS}
    title = "Moons · full scale · 2 seeds"
    return {kind: drawing.draw(kind, shown, title) for kind, shown in runs.items()}


def test_figures_are_small_and_free_of_metadata(pngs: dict[str, bytes | None]) -> None:
    for png in pngs.values():
        assert png is not None
        assert len(png) < 80_000
        picture = Image.open(io.BytesIO(png))
        assert picture.info == {}
        assert max(picture.size) < 1500


def test_the_readers_own_settings_neither_count_nor_change(pngs: dict[str, bytes | None]) -> None:
    with matplotlib.rc_context({"font.size": 30, "axes.grid": False}):
        assert drawing.draw("boundary", RUNS, "Moons · full scale · 2 seeds") == pngs["boundary"]
        assert matplotlib.rcParams["font.size"] == 30


def test_recipes_without_probes_have_curves_alone() -> None:
    runs = {"ce": [record(CE)], "mse": [record(MSE)]}
    assert [kind for kind, draw in panels.KINDS.items() if draw(runs)] == ["curves"]


def test_curves_have_a_panel_for_each_quantity_that_was_recorded() -> None:
    figure = panels.curves(RUNS)
    assert figure is not None
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["training loss", "test accuracy", "learning rate", "gradient norm"]
    figure = panels.curves({"ce": [record(CE, probes={})]})
    assert figure is not None
    assert len(figure.axes) == 3


def test_a_line_is_the_mean_over_seeds() -> None:
    figure = panels.curves(RUNS)
    assert figure is not None
    drawn = figure.axes[1].lines[0].get_ydata()
    means = np.mean([r.series["test_accuracy"] for r in RUNS["relu"]], axis=0)
    np.testing.assert_allclose(np.asarray(drawn), means)


def test_runs_that_diverged_are_drawn_as_far_as_they_went_and_counted() -> None:
    runs = {"ce": [record(CE, 0), record(CE, 1, diverged=True)], "mse": [record(MSE)]}
    figure = panels.curves(runs)
    assert figure is not None
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "ce (2 seeds, 1 of 2 diverged)",
        "mse (1 seed)",
    ]
    assert panels.curves({"ce": [record(CE, diverged=True)]}) is not None


def test_numbers_that_never_were_finite_make_no_panel() -> None:
    series = {**record(SHORT).series, "train_loss": [math.nan] * 4}
    figure = panels.curves({"ce": [record(SHORT, series=series)]})
    assert figure is not None
    assert "training loss" not in [axes.get_title() for axes in figure.axes]


@pytest.mark.parametrize("norm", [[0.0] * 4, [0.0, 1e-30, 1.0, 5.0], [None, 1.0, 2.0, 1e30]])
def test_gradients_of_any_size_can_be_drawn(norm: list[float | None]) -> None:
    assert drawing.draw("curves", changed(gradient_norm=norm), "t") is not None


def test_many_recipes_keep_lines_apart() -> None:
    runs = {f"lr_{n}": [record(SHORT.but(lr=0.001 * n))] for n in range(1, 10)}
    figure = panels.curves(runs)
    assert figure is not None
    lines = list(figure.axes[0].lines)
    assert len({line.get_color() for line in lines}) == len(panels.COLOURS)
    # Colours come round again at the eighth, with other dashes.
    assert lines[0].get_color() == lines[7].get_color()
    assert not lines[0].is_dashed()
    assert lines[7].is_dashed()


def test_the_heat_map_writes_the_last_epoch_beside_each_layer() -> None:
    figure = panels.dead_units(RUNS)
    assert figure is not None
    assert [axes.get_title() for axes in figure.axes[:4]] == [
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
    assert drawing.draw("boundary", changed(boundary=flat), "t") is not None
    figure = panels.boundary(RUNS)
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
    runs = changed(
        histograms=broken, dead=broken, non_positive=broken, boundary=broken, gradient_norm=broken
    )
    assert [kind for kind, draw in panels.KINDS.items() if draw(runs)] == ["curves"]


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
    grids, extent = probes.boundaries([*RUNS["relu"], *changed(boundary=other)["relu"]])
    assert grids.shape == (2, 40, 40)
    assert extent == (-2.5, 2.5, -2.5, 2.5)


@pytest.mark.parametrize("kind", panels.KINDS)
def test_no_records_make_no_figure(kind: str) -> None:
    assert drawing.draw(kind, {"relu": []}, "t") is None


def test_odd_names_and_titles_are_drawn_as_they_are() -> None:
    assert drawing.draw("curves", {"활성": [record(SHORT)]}, "$x 손실 · a_b · 100 %") is not None


class TestGradientFlow:
    def test_a_line_runs_through_every_layer_and_passes_over_norms(self) -> None:
        figure = panels.gradient_flow(DEEP)
        assert figure is not None
        ends, profile = figure.axes
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
        figure = panels.gradient_flow(
            {"deep": [record(SHORT, 0, probes={"gradient_norms": norms})]}
        )
        assert figure is not None
        assert np.isnan(np.asarray(figure.axes[1].get_lines()[0].get_ydata())[0])

    def test_a_gradient_that_becomes_zero_is_marked(self) -> None:
        norms = {**NORMS, "features.0.weight": [0.5, 0.25, 0.0, 0.0]}
        figure = panels.gradient_flow(
            {"deep": [record(SHORT, 0, probes={"gradient_norms": norms})]}
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
        assert panels._is_norm(f"{name}.weight", layers)
        assert not panels._is_norm("layer1.0.downsample.0.weight", layers)

    def test_shallow_networks_have_none(self) -> None:
        assert panels.gradient_flow(RUNS) is None
