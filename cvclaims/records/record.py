"""One run's record: validated, versioned, plain JSON."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cvclaims.catalogue import SCALES
from cvclaims.recipe import Recipe

# The layout of a record's JSON. Raise it when a reader of the old layout would misread the new.
SCHEMA = 1
# What the training code teaches a network. Raise it whenever a recipe would learn something else
# than before; tests/training/test_revision.py fails when a curve moves while this stands.
TRAINING_REVISION = 1

STATUSES = ("finished", "diverged", "failed")
CURVES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "lr", "seconds")


class RecordError(ValueError):
    """A record that cannot be trusted; the message is one line and names the reason."""


@dataclass(frozen=True)
class Origin:
    """Where a record came from: enough to ask for the same run again.

    `data` is what tables show, such as "CIFAR-10, JPEG re-encoded"; `stand_in` marks generated
    data that only resembles it, which is never judged. `stacked` is the number of networks that
    trained side by side in the same tensors. `precision` is what the device computed in, which
    may be finer than what the recipe asks for, never coarser.
    """

    commit: str
    cvclaims: str
    torch: str
    python: str
    device: str
    host: str
    threads: int
    stacked: int
    data: str
    fingerprint: str
    stand_in: bool
    revision: int = TRAINING_REVISION
    precision: str = "fp32"


@dataclass(frozen=True)
class Record:
    """What one run did.

    Attributes:
        curves: per epoch, in order: train_loss, train_accuracy (both over the epoch's batches
            as they were trained on), test_loss, test_accuracy, lr, seconds. A run that diverged
            ends with the epoch in which its loss stopped being finite, one with `patience`
            where that ran out.
        class_accuracy: test accuracy of each class after the last epoch; with `patience`, at
            the epoch that it went back to.
        probes: what the recipe asked to record, by name (see `cvclaims.training.probes`).
        parameters: number of trained parameters.
        images_per_second: training samples per second over the run. In a stack it counts the
            samples of all its networks.
    """

    recipe: Recipe
    seed: int
    scale: str
    status: str
    curves: Mapping[str, Sequence[float]]
    class_accuracy: Sequence[float]
    probes: Mapping[str, Any]
    parameters: int
    images_per_second: float
    origin: Origin
    error: str = ""

    @property
    def key(self) -> str:
        """The hash that this run is stored under."""
        return run_key(self.recipe, self.seed, self.origin.fingerprint, self.origin.revision)

    @property
    def epochs(self) -> int:
        """Epochs that were trained; fewer than the recipe's where the run diverged."""
        return len(self.curves["train_loss"])

    def to_json(self) -> str:
        """The record as text; a number that is not finite becomes null."""
        form = {
            "schema": SCHEMA,
            "key": self.key,
            "recipe": self.recipe.canonical(),
            "seed": self.seed,
            "scale": self.scale,
            "status": self.status,
            "error": self.error,
            "parameters": self.parameters,
            "images_per_second": rounded(self.images_per_second),
            "origin": dataclasses.asdict(self.origin),
            "curves": {name: rounded(values) for name, values in self.curves.items()},
            "class_accuracy": rounded(self.class_accuracy),
            "probes": rounded(self.probes),
        }
        # One line for each field: short files that still diff well.
        lines = (f"{json.dumps(k)}: {json.dumps(v, allow_nan=False)}" for k, v in form.items())
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """Read and check a record; raises RecordError in one line."""
        try:
            form = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecordError(f"not JSON, perhaps cut off ({error})") from None
        if not isinstance(form, dict) or not isinstance(form.get("schema"), int):
            raise RecordError("no record of cvclaims: it has no schema number")
        if form["schema"] > SCHEMA:
            raise NewerSchemaError(
                f"schema {form['schema']}, this cvclaims reads {SCHEMA}: upgrade cvclaims"
            )
        try:
            return _checked(form)
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            what = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
            raise RecordError(" ".join(what.split())) from None


class NewerSchemaError(RecordError):
    """A sound record of a later version: it must not be touched."""


def run_key(recipe: Recipe, seed: int, fingerprint: str, revision: int = TRAINING_REVISION) -> str:
    """SHA-256 (hex) of everything that decides what a run learns."""
    text = json.dumps([recipe.digest, seed, fingerprint, revision])
    return hashlib.sha256(text.encode()).hexdigest()


def rounded(value: Any) -> Any:
    """Floats to 7 significant digits (what float32 holds), through lists and dicts; NaN is None.

    Records are rounded when they are made, not only when they are written, so that a verdict
    from memory and one from the store see the same numbers.
    """
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    return value


def _checked(form: Mapping[str, Any]) -> Record:
    recipe = Recipe.from_canonical(form["recipe"])
    record = Record(
        recipe=recipe,
        seed=_int(form, "seed"),
        scale=form["scale"],
        status=form["status"],
        error=str(form["error"]),
        parameters=_int(form, "parameters"),
        images_per_second=_floats([form["images_per_second"]], "images_per_second")[0],
        origin=_origin(form["origin"]),
        curves={name: _floats(form["curves"][name], name) for name in CURVES},
        class_accuracy=_floats(form["class_accuracy"], "class_accuracy"),
        probes=_probes(form["probes"]),
    )
    if record.key != form["key"]:
        raise ValueError("its key does not belong to its recipe, seed and data: it was altered")
    if record.status not in STATUSES or record.scale not in SCALES:
        raise ValueError(f"status {record.status!r} or scale {record.scale!r} is unknown")
    _check_curves(record)
    return record


def _check_curves(record: Record) -> None:
    lengths = {len(values) for values in record.curves.values()}
    if len(lengths) != 1:
        raise ValueError("its curves differ in length")
    epochs = lengths.pop()
    stopped = record.recipe.patience is not None and 1 <= epochs <= record.recipe.epochs
    if record.status == "finished" and epochs != record.recipe.epochs and not stopped:
        raise ValueError(f"finished after {epochs} of {record.recipe.epochs} epochs")
    if record.status == "diverged" and not 1 <= epochs <= record.recipe.epochs:
        raise ValueError(f"diverged after {epochs} of {record.recipe.epochs} epochs")
    if record.status != "failed":
        for name in ("train_accuracy", "test_accuracy"):
            if not all(0 <= value <= 1 for value in record.curves[name]):
                raise ValueError(f"{name} lies outside 0 to 1")
        classes = len(record.recipe.class_names)
        if len(record.class_accuracy) != classes:
            raise ValueError(f"class_accuracy has not the {classes} classes of its data")


def _origin(form: Any) -> Origin:
    fields = {f.name: f.type for f in dataclasses.fields(Origin)}
    if isinstance(form, dict):
        form = {"precision": "fp32", **form}  # all there was before records stated it
    if not isinstance(form, dict) or set(form) != set(fields):
        raise ValueError(f"origin has to have exactly {', '.join(sorted(fields))}")
    for name, kind in fields.items():
        if type(form[name]) is not kind:
            raise ValueError(f"origin's {name} cannot be {form[name]!r}")
    return Origin(**form)


_NUMBERS = {float, int, type(None)}


def _probes(form: Any) -> dict[str, Any]:
    if not isinstance(form, dict):
        raise ValueError("probes must be named")
    _check_numbers(form)
    return form


def _check_numbers(probe: Any) -> None:
    """A probe is made of numbers and null, in lists and in objects."""
    if isinstance(probe, dict | list):
        parts = list(probe.values()) if isinstance(probe, dict) else probe
        if not set(map(type, parts)) <= _NUMBERS:  # one look at a long list of numbers
            for part in parts:
                _check_numbers(part)
    elif type(probe) not in _NUMBERS:
        raise ValueError(f"probes hold {probe!r}, which is no number")


def _int(form: Mapping[str, Any], name: str) -> int:
    value = form[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} must be a whole number of 0 or more, not {value!r}")
    return value


def _floats(values: Any, name: str) -> list[float]:
    if not isinstance(values, list):
        raise ValueError(f"{name} must be a list of numbers")
    numbers = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise ValueError(f"{name} holds {value!r}, which is no number")
        numbers.append(math.nan if value is None else float(value))
    return numbers
