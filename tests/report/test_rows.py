"""Rows travel and merge without losing evidence."""

import math
from typing import Any

import pytest

from cvclaims.report.rows import Row, merge
from tests.report.synthetic import CE, MSE, judged, measured, row

RECIPES = {"ce": CE, "mse": MSE}


def at(scale: str, verdict: str = "supported", **changes: Any) -> Row:
    return judged("5.04", RECIPES, scale=scale, verdict=verdict, **changes)


def only(old: Row, new: Row) -> Row:
    (standing,) = merge([old], [new])
    return standing


def test_a_row_survives_its_json() -> None:
    one = judged("5.04", RECIPES, assumed=["batch_size"], disputed="a tie", case="digits")
    assert Row.from_dict(one.to_dict()) == one


def test_nan_is_no_json() -> None:
    bad = row(measured={"ce": measured(math.nan)})
    with pytest.raises(ValueError, match="JSON"):
        bad.to_dict()


@pytest.mark.parametrize("form", [{"id": "1"}, {"surprise": 1}])
def test_what_is_no_row_is_refused(form: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a row"):
        Row.from_dict(form)


@pytest.mark.parametrize(("old", "new"), [("full", "reduced"), ("reduced", "smoke")])
def test_a_smaller_scale_never_hides_a_larger(old: str, new: str) -> None:
    assert only(at(old), at(new, "refuted")).scale == old


@pytest.mark.parametrize(("old", "new"), [("smoke", "full"), ("full", "full")])
def test_a_newer_row_of_the_same_or_a_larger_scale_replaces(old: str, new: str) -> None:
    assert only(at(old), at(new, "refuted")).verdict == "refuted"


def test_an_error_replaces_at_the_same_scale() -> None:
    assert only(at("full"), at("full", "error")).verdict == "error"


def test_what_was_not_evaluated_hides_nothing_judged() -> None:
    assert only(at("reduced"), at("full", "not evaluated")).verdict == "supported"
    assert only(at("full", "not evaluated"), at("smoke", "ran")).verdict == "ran"


def test_evidence_of_another_recipe_or_training_code_gives_way() -> None:
    changed = judged("5.04", {"ce": CE.but(lr=0.5), "mse": MSE}, scale="smoke", verdict="ran")
    assert only(at("full"), changed).scale == "smoke"
    assert only(at("full"), at("smoke", "ran", revision=99)).scale == "smoke"


def test_rows_stand_in_the_order_of_reports_and_claims() -> None:
    rows = [row("5.10"), row("5.2", case="b"), row("5.2", case="a"), row("2.01", report_number=2)]
    order = [(r.id, r.case) for r in merge(rows[:2], rows[2:])]
    assert order == [("2.01", ""), ("5.2", "a"), ("5.2", "b"), ("5.10", "")]
