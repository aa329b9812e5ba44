"""The picture of the whole, and each seed beside what the report states."""

import pytest

from cvclaims.results.figures import overview
from cvclaims.results.figures.groups import Subject
from cvclaims.results.figures.samples import cost, dots
from cvclaims.results.view import ClaimView, Numbers
from tests.results.synthetic import CE, MSE, SHORT, judged, measured, record, row

TWO = {"ce": measured(0.98, 0.985, 0.979), "mse": measured(0.97, 0.968, 0.974)}


def decided(estimate: float = 0.01, p: float = 0.004, **changes: object) -> ClaimView:
    numbers = Numbers(estimate=estimate, lower=estimate / 2, upper=2 * estimate, p=p, n=[3, 3])
    return row(**{"decision": numbers, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "pair"),
    [
        ({}, (pytest.approx(0.0139), 0.01)),
        ({"rule": "sooner"}, (pytest.approx(-0.0139), 0.01)),
        ({"rule": "ratio(1)"}, (pytest.approx(0.9833 / 0.9694), 0.01)),
        ({"rule": "order"}, None),
        ({"reported": {"ce": 0.9833}}, None),
        ({"reported": {}}, None),
        ({"measured": {"ce": measured(0.5, 0.6)}, "reported": {"ce": 0.5}}, (0.5, 0.01)),
        ({"measured": {"ce": measured(0.5, 0.6)}, "reported": {"ce": [0.4, 0.6]}}, (0.5, 0.01)),
        ({"measured": TWO | {"more": measured(1.0, 2.0)}}, None),
        ({"rule": "ratio(1)", "reported": {"ce": 1.0, "mse": 0.0}}, None),
    ],
)
def test_the_reported_effect_is_that_of_the_rule(
    changes: dict[str, object], pair: tuple[float, float] | None
) -> None:
    assert overview.effects(decided(**changes)) == pair  # type: ignore[arg-type]


def test_the_smaller_p_the_further_it_leans_towards_the_claim() -> None:
    assert overview.strength(decided(p=0.5)) == pytest.approx(0)
    assert overview.strength(decided(p=0.02275)) == pytest.approx(2, abs=1e-3)
    assert overview.strength(decided(p=0.97725)) == pytest.approx(-2, abs=1e-3)
    assert overview.strength(decided(p=0.0)) > overview.FURTHEST
    assert overview.strength(decided(p=1.0)) < -overview.FURTHEST


def test_only_what_was_judged_over_seeds_is_shown() -> None:
    rows = [decided(), row("1.01", rule="exact"), decided(verdict="ran"), decided(verdict="error")]
    assert overview.judged_by_chance(rows) == rows[:1]
    figure = overview.overview(rows)
    left, right = figure.axes
    assert left.get_title().startswith("1 rows with a reported number")
    assert right.get_title().startswith("1 rows judged over seeds")


def test_no_verdict_is_told_by_its_colour_alone() -> None:
    assert len({shape for _, shape in overview.LOOKS.values()}) == len(overview.LOOKS)
    assert len({shade for shade, _ in overview.LOOKS.values()}) == len(overview.LOOKS)


def test_what_the_picture_shows_tells_when_to_draw_it_anew() -> None:
    told = overview.evidence([decided()])
    assert told == overview.evidence([decided(title="another word")])
    for other in (decided(p=0.005), decided(verdict="refuted"), decided(scale="reduced")):
        assert told != overview.evidence([other])


def test_an_effect_of_the_other_sign_stands_at_the_edge() -> None:
    figure = overview.overview([decided(-0.01), decided(0.01, case="other")])
    marks = [line.get_marker() for line in figure.axes[0].get_lines()]
    assert "v" in marks
    assert "o" in marks


def test_each_seed_is_a_dot_beside_the_reported_value() -> None:
    one = judged("5.04", {"ce": CE, "mse": MSE}, reported={"ce": [0.9, 0.91], "mse": 0.8})
    figure = dots(Subject({"ce": [], "mse": []}, rows=[one, row("5.05", measured={})]))
    assert figure is not None
    (panel,) = figure.axes
    drawn = {tuple(map(float, line.get_xdata())): line.get_marker() for line in panel.get_lines()}  # type: ignore[arg-type]
    assert drawn[(0.98, 0.985, 0.979)] == "o"
    assert drawn[(0.9, 0.91)] == "D"
    assert drawn[(0.8,)] == "D"
    assert [label.get_text() for label in panel.get_yticklabels()] == ["ce", "mse"]


def test_cost_wants_arms_of_several_sizes() -> None:
    large = record(SHORT, 0)
    small = record(SHORT, 0, numbers={"parameters": 500, "images_per_second": 1.0})
    assert cost(Subject({"one": [large], "other": [large]})) is None
    figure = cost(Subject({"one": [large], "other": [small]}))
    assert figure is not None
    assert figure.axes[0].get_xscale() == "log"
