"""Nothing but a whole record is taken for one."""

import copy
import hashlib
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvclaims.catalogue import SCALES
from cvclaims.recipe import CURVES, Recipe
from cvclaims.recipe import digest_of_form as digest_of
from cvclaims.records import Origin, Record, RecordError
from cvclaims.records.record import SCHEMA, STATUSES, TRAINING_REVISION, DamagedError
from tests.records.factory import RECIPE, record
from tests.records.forms import FIELDS, form_of

Change = Callable[[dict[str, Any]], object]


def refused(text: str, *, damaged: bool = False) -> str:
    """The line that a text is refused by; only what is damaged may ever be set aside."""
    with pytest.raises(RecordError) as caught:
        Record.from_json(text)
    assert isinstance(caught.value, DamagedError) == damaged
    line = str(caught.value)
    assert line
    assert len(line.splitlines()) == 1
    return line


def altered(change: Change) -> str:
    """The text of a record after a change of its JSON, by someone who knows of its digest."""
    form = form_of(record())
    change(form)
    return sealed(form)


def sealed(form: dict[str, Any]) -> str:
    """A form as text, with the digest that belongs to it."""
    if "digest" in form:
        form["digest"] = digest_of({k: v for k, v in form.items() if k != "digest"})
    return json.dumps(form)


def setting(*path: str, to: Any) -> str:
    """The text of a record with one value exchanged, or added."""

    def change(form: dict[str, Any]) -> None:
        *outer, last = path
        for name in outer:
            form = form[name]
        form[last] = to

    return altered(change)


class TestDamage:
    def test_cut_anywhere(self) -> None:
        text = record().to_json()
        whole = len(text.rstrip())
        for at in range(whole):
            assert refused(text[:at], damaged=True).startswith("not JSON, perhaps cut off (")
        Record.from_json(text[:whole])

    @pytest.mark.parametrize(
        "text",
        ["", "NaN", *("null", "[]", "3", '"schema"', "{}", '{"schema": "1"}', '{"schema": 1.0}')],
    )
    def test_what_is_no_record(self, text: str) -> None:
        broken = text in ("", "NaN")
        expected = "not JSON" if broken else "no record of cvclaims: it has no schema number"
        assert refused(text, damaged=True).startswith(expected)

    def test_nested_too_deep(self) -> None:
        refused("[" * 200_000, damaged=True)
        deep = "[" * 900 + "]" * 900
        refused(record().to_json().replace('"probes": {', f'"probes": {{"deep": {deep}, ', 1))

    @pytest.mark.parametrize("name", FIELDS)
    def test_a_field_that_is_missing(self, name: str) -> None:
        # Without these nothing says whose record it is.
        damaged = name in ("schema", "key", "recipe", "seed", "origin")
        line = refused(altered(lambda form: form.pop(name)), damaged=damaged)
        assert damaged or line == f"field {name!r} is missing"

    @pytest.mark.parametrize("name", CURVES)
    def test_a_curve_that_is_missing_is_named(self, name: str) -> None:
        assert refused(altered(lambda form: form["series"].pop(name))) == f"it lacks {name}"

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("recipe", "lr"), 0.2),
            (("recipe", "epochs"), 4),
            (("seed",), 1),
            (("origin", "fingerprint"), "0" * 64),
            (("origin", "revision"), TRAINING_REVISION + 1),
            (("key",), "0" * 64),
            (("key",), None),
        ],
    )
    def test_what_was_altered_does_not_fit_its_key(self, path: list[str], value: object) -> None:
        assert refused(setting(*path, to=value), damaged=True) == (
            "its key does not belong to its recipe, seed and data: it was altered"
        )

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("series", "test_accuracy"), [0.9, 0.9, 0.9]),
            (("numbers", "parameters"), 999),
            (("status",), "diverged"),
            (("origin", "stand_in"), True),
            (("probes",), {}),
        ],
    )
    def test_any_other_change_does_not_fit_its_digest(self, path: list[str], value: object) -> None:
        form = form_of(record())
        *outer, last = path
        part = form
        for name in outer:
            part = part[name]
        assert part[last] != value
        part[last] = value
        assert refused(json.dumps(form)) == (
            "its digest does not belong to its content: it was altered; restore it"
        )

    def test_the_order_of_fields_is_no_change(self) -> None:
        form = dict(reversed(form_of(record()).items()))
        assert Record.from_json(json.dumps(form)) == Record.from_json(record().to_json())

    def test_what_is_unknown_here_may_be_known_elsewhere(self) -> None:
        def of_another(**changes: Any) -> str:
            form = form_of(record())
            form["recipe"] |= changes
            parts = [digest_of(form["recipe"]), 0, "f" * 64, TRAINING_REVISION]
            form["key"] = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
            return sealed(form)

        assert Record.from_json(of_another(lr=0.2)).recipe == RECIPE.but(lr=0.2)
        line = refused(of_another(optimizer="adm"))
        assert line.startswith("unknown optimizer 'adm': did you mean 'adam'? ")
        assert refused(of_another(model="tomorrow")).startswith("unknown model 'tomorrow'")
        assert refused(of_another(**{"a\nb": 1})).startswith("not a recipe: ")

    @pytest.mark.parametrize("bad", [-1, 1.5, True, "1", None])
    def test_counts(self, bad: object) -> None:
        refused(setting("numbers", "parameters", to=bad))

    def test_status_and_scale(self) -> None:
        for name, bad in (("status", "done"), ("scale", "auto"), ("status", None), ("scale", [])):
            assert "is unknown" in refused(setting(name, to=bad))

    @pytest.mark.parametrize("bad", ["0.5", True, [0.5], {}])
    def test_curves_hold_numbers(self, bad: object) -> None:
        def change(form: dict[str, Any]) -> None:
            form["series"]["train_loss"][1] = bad

        assert refused(altered(change)) == f"train_loss holds {bad!r}, which is no number"

    def test_a_number_beyond_every_float(self) -> None:
        def change(form: dict[str, Any]) -> None:
            form["series"]["train_loss"][1] = 10**400

        refused(altered(change))
        refused(setting("recipe", "lr", to=10**400), damaged=True)

    def test_curves_of_one_length_and_as_long_as_the_recipe(self) -> None:
        def cut(form: dict[str, Any]) -> None:
            for curve in form["series"].values():
                curve.pop()

        def grow(form: dict[str, Any]) -> None:
            for curve in form["series"].values():
                curve.append(0.5)

        def status(word: str, *changes: Change) -> str:
            def change(form: dict[str, Any]) -> None:
                form["status"] = word
                for one in changes:
                    one(form)

            return altered(change)

        assert refused(altered(lambda form: form["series"]["lr"].pop())) == (
            "its curves differ in length"
        )
        assert refused(status("finished", cut)) == "finished after 2 of 3 epochs"
        assert refused(status("finished", grow)) == "finished after 4 of 3 epochs"
        assert Record.from_json(status("diverged", cut)).epochs == 2
        assert refused(status("diverged", grow)) == "diverged after 4 of 3 epochs"
        assert refused(status("diverged", cut, cut, cut)) == "diverged after 0 of 3 epochs"
        assert Record.from_json(status("failed", cut, cut, cut)).epochs == 0

    @pytest.mark.parametrize("name", ["train_accuracy", "test_accuracy"])
    @pytest.mark.parametrize("bad", [-0.01, 1.01, 98.3, None])
    def test_accuracies_lie_between_0_and_1(self, name: str, bad: object) -> None:
        def change(form: dict[str, Any]) -> None:
            form["series"][name][0] = bad

        assert refused(altered(change)) == f"{name} lies outside 0 to 1"

    def test_an_accuracy_for_each_class(self) -> None:
        line = refused(altered(lambda form: form["numbers"].pop("class_accuracy.7")))
        assert line == "class_accuracy has not the 10 classes of its data"
        nothing = setting("numbers", "class_accuracy.0", to=None)
        assert math.isnan(Record.from_json(nothing).class_accuracy[0])  # no sample of that class

    def test_the_origin_is_whole_and_of_the_right_kinds(self) -> None:
        for bad in (list(form_of(record())["origin"]), None):
            refused(setting("origin", to=bad), damaged=True)
        lacking = refused(altered(lambda form: form["origin"].pop("device")))
        assert lacking.startswith("origin lacks some of commit, cvclaims, ")
        assert refused(setting("origin", "colour", to="red")) == "origin's 'colour' is unknown"
        odd: list[tuple[str, object]] = [
            *(("device", None), ("threads", "1"), ("stand_in", 0), ("stacked", True)),
            *(("environment", []), ("environment", {"numpy": 2}), ("session", None)),
        ]
        for name, value in odd:
            line = refused(setting("origin", name, to=value))
            assert line == f"origin's {name} cannot be {value!r}"

    @pytest.mark.parametrize("bad", ["high", True, [0.5, "0.5"], {"layer1": [[False]]}])
    def test_probes_hold_numbers(self, bad: object) -> None:
        assert refused(setting("probes", "gradient_norm", to=bad)).startswith("probes hold ")

    def test_probes_have_names(self) -> None:
        for bad in (None, [], [["gradient_norm", [1.0]]], "gradient_norm", 3):
            assert refused(setting("probes", to=bad)) == "probes must be named"

    def test_a_newer_schema_is_told_apart_from_damage(self) -> None:
        assert refused(setting("schema", to=SCHEMA + 1)) == (
            f"schema {SCHEMA + 1}, this cvclaims reads {SCHEMA}: upgrade cvclaims"
        )
        for schema in (0, -3, True):
            refused(setting("schema", to=schema), damaged=True)


# Any JSON, with numbers beyond a float and lines in words.
numbers = st.integers() | st.just(10**400) | st.floats()
leaves = st.none() | st.booleans() | numbers | st.text(max_size=8) | st.sampled_from(FIELDS)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
TEXT = record(
    RECIPE.but(probes=("units",), model_args={"hidden": (8, 4)}),
    probes={"gradient_norm": [1.0, None, 0.5], "dead": {"layer1": [0.0, 0.0, 0.25]}},
).to_json()


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a JSON tree."""
    keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in list(keys):
        yield node, key
        yield from places(node[key])


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """The text of a record with up to three parts deleted, replaced or swapped."""
    form = json.loads(TEXT)
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(form))
        container, key = found[draw(st.integers(0, len(found) - 1))]
        what = draw(st.sampled_from(["delete", "replace", "swap", "add"]))
        if what == "delete":
            del container[key]
        elif what == "replace":
            container[key] = draw(values)
        elif what == "add" and isinstance(container, dict):
            container[draw(st.text(max_size=3))] = draw(values)
        elif what == "swap":
            other, place = found[draw(st.integers(0, len(found) - 1))]
            # Copies, as a part that holds itself is no JSON.
            one, two = copy.deepcopy(container[key]), copy.deepcopy(other[place])
            container[key], other[place] = two, one
        if not form:
            break
    return sealed(form)


def assert_sound(of: Record) -> None:
    """Everything in its place and of its kind, so that nobody stumbles over it later."""
    assert isinstance(of.recipe, Recipe)
    assert type(of.seed) is int
    assert type(of.parameters) is int
    assert of.scale in SCALES
    assert of.status in STATUSES
    assert isinstance(of.error, str)
    assert set(of.series) >= set(CURVES)
    for curve in (*of.series.values(), of.class_accuracy):
        assert all(type(value) is float for value in curve)
    for name, kind in Origin.__annotations__.items():
        assert type(getattr(of.origin, name)) is (dict if name == "environment" else kind)
    assert Record.from_json(of.to_json()).to_json() == of.to_json()


def read(text: str) -> Record | None:
    """The record, or None where it is refused, which takes one line."""
    try:
        return Record.from_json(text)
    except RecordError as error:
        line = str(error)
    assert len(line.splitlines()) == 1
    return None


@given(mutations())
@settings(max_examples=600)
def test_an_altered_record_is_refused_in_one_line_or_still_sound(text: str) -> None:
    of = read(text)
    if of is not None:
        assert_sound(of)
        assert of.key == Record.from_json(TEXT).key  # what it learned is still what it says


@given(st.binary(max_size=40), st.integers(0, len(TEXT)))
def test_bytes_written_over_a_record(noise: bytes, at: int) -> None:
    text = TEXT[:at] + noise.decode(errors="replace") + TEXT[at + len(noise) :]
    if (of := read(text)) is not None:
        assert_sound(of)
