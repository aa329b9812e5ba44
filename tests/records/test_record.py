"""Records as text: nothing is lost on the way."""

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvclaims.recipe import CURVES
from cvclaims.records import Record, run_key
from cvclaims.records.record import SCHEMA, TRAINING_REVISION, rounded
from tests.records.factory import RECIPE, origin, record, records
from tests.records.forms import FIELDS, form_of


def schema_1(of: Record) -> dict[str, Any]:
    """The form that the first version gave a record."""
    form = form_of(of)
    right = [form["numbers"].get(f"class_accuracy.{name}") for name in of.recipe.class_names]
    later = ("claims", "session", "environment", "steps")
    return {
        "schema": 1,
        **{name: form[name] for name in ("key", "recipe", "seed", "scale", "status", "error")},
        "parameters": form["numbers"]["parameters"],
        "images_per_second": form["numbers"]["images_per_second"],
        "origin": {k: v for k, v in form["origin"].items() if k not in later},
        "curves": form["series"],
        "class_accuracy": right if of.status != "failed" else [],
        "probes": form["probes"],
    }


class TestText:
    @given(records())
    def test_reading_gives_back_what_was_written(self, of: Record) -> None:
        again = Record.from_json(of.to_json())
        assert again.to_json() == of.to_json()
        assert Record.from_json(again.to_json()) == again
        assert again.key == of.key
        assert again.epochs == of.epochs
        for name in ("recipe", "seed", "scale", "status", "error", "parameters", "origin"):
            assert getattr(again, name) == getattr(of, name), name
        assert rounded(again.series) == rounded(of.series)
        assert rounded(again.class_accuracy) == rounded(of.class_accuracy)
        assert again.probes == rounded(of.probes)

    def test_one_line_a_field_and_plain_json(self) -> None:
        text = record().to_json()
        lines = text.splitlines()
        assert (lines[0], lines[-1], text[-1]) == ("{", "}", "\n")
        assert tuple(line.split('"')[1] for line in lines[1:-1]) == FIELDS
        assert tuple(form_of(record())) == FIELDS
        assert form_of(record())["schema"] == SCHEMA

    def test_a_number_that_is_none_becomes_null_and_nan_again(self) -> None:
        of = record(loss=[0.5, math.inf, math.nan], status="diverged")
        assert form_of(of)["series"]["train_loss"] == [0.5, None, None]
        assert form_of(of)["probes"]["gradient_norm"] == [0.5, None, None]
        again = Record.from_json(of.to_json())
        assert again.series["train_loss"][0] == 0.5
        assert all(math.isnan(value) for value in again.series["train_loss"][1:])

    def test_whatever_an_error_says_is_kept(self) -> None:
        empty: dict[str, list[float]] = {name: [] for name in CURVES}
        of = record(status="failed", error='a "word"\nü', series=empty, class_accuracy=[])
        assert Record.from_json(of.to_json()).error == 'a "word"\nü'

    @given(records())
    def test_the_first_schema_is_read(self, of: Record) -> None:
        again = Record.from_json(json.dumps(schema_1(of)))
        assert again.key == of.key
        later: dict[str, Any] = {"claims": "", "session": "", "environment": {}, "steps": ""}
        assert again.origin == dataclasses.replace(of.origin, **later)
        for name in ("series", "numbers", "probes"):
            assert rounded(getattr(again, name)) == rounded(getattr(of, name))

    def test_any_series_and_any_numbers_by_name(self) -> None:
        of = record()
        more = dataclasses.replace(
            of, series={**of.series, "f1": [0.5]}, numbers={**of.numbers, "peak bytes": 3}
        )
        again = Record.from_json(more.to_json())
        assert again.series["f1"] == [0.5]
        assert again.numbers["peak bytes"] == 3


class TestRounding:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (0.123456789, 0.1234568),
            (123456789.0, 123456800.0),
            (1e-30, 1e-30),
            (-2 / 3, -0.6666667),
            (0.0, 0.0),
            (math.nan, None),
            (math.inf, None),
            (-math.inf, None),
            (123456789, 123456789),
            (True, True),
            ("0.123456789", "0.123456789"),
            (None, None),
            ((1 / 3, [2 / 3, math.nan]), [0.3333333, [0.6666667, None]]),
            ({"a": {"b": [1 / 3]}}, {"a": {"b": [0.3333333]}}),
        ],
    )
    def test_seven_digits(self, value: object, expected: object) -> None:
        assert rounded(value) == expected
        assert type(rounded(value)) is type(expected)

    @given(st.floats())
    def test_twice_is_once_and_little_is_lost(self, value: float) -> None:
        once = rounded(value)
        assert rounded(once) == once
        if math.isfinite(value):
            assert math.isclose(once, value, rel_tol=5e-7, abs_tol=1e-320)
        else:
            assert once is None

    @given(st.floats(width=32, allow_nan=False, allow_infinity=False))
    def test_two_neighbours_in_float32_stay_nearly_so(self, value: float) -> None:
        assert abs(rounded(value) - value) <= 5e-7 * abs(value)


class TestKey:
    # A record is found by this: when it changes, all evidence is lost.
    def test_the_key_is_that_of_the_evidence(self) -> None:
        key = "ed0d237bd26d7d393e263f81ae8b166f30bd57304131950282011926c0b87627"
        assert run_key(RECIPE, 2, "f" * 64, 1) == key
        assert record(seed=2, origin=origin(fingerprint="f" * 64, revision=1)).key == key

    def test_recipe_seed_data_and_training_code_decide(self) -> None:
        keys = {
            run_key(RECIPE, 0, "a", 1),
            run_key(RECIPE.but(lr=0.2), 0, "a", 1),
            run_key(RECIPE, 1, "a", 1),
            run_key(RECIPE, 0, "b", 1),
            run_key(RECIPE, 0, "a", 2),
        }
        assert len(keys) == 5
        assert run_key(RECIPE.but(assumed=("lr",)), 0, "a", 1) in keys

    def test_the_present_training_code_is_meant_where_none_is_named(self) -> None:
        assert run_key(RECIPE, 0, "a") == run_key(RECIPE, 0, "a", TRAINING_REVISION)
        assert origin().revision == TRAINING_REVISION

    def test_where_and_how_fast_it_ran_does_not(self) -> None:
        there = origin(commit="fedc", device="a GPU", threads=8, stacked=9, torch="3.0")
        other = record(scale="reduced", images_per_second=1.0, accuracy=0.1, origin=there)
        assert other.key == record().key
