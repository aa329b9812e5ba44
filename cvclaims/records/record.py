"""One run's record: validated, versioned, plain JSON."""

import contextlib
import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cvclaims.catalogue import SCALES
from cvclaims.recipe import CURVES, Recipe
from cvclaims.recipe import digest_of_form as digest_of
from cvclaims.specs import NotHereError
from cvclaims.trainable import OfRecipe, Trainable, from_canonical

# The layout of a record's JSON. Raise it when a reader of the old layout would misread the new.
SCHEMA = 2
# What the training code teaches a network. Raise it whenever a recipe would learn something else
# than before; tests/training/test_revision.py fails when a curve moves while this stands.
TRAINING_REVISION = 1

STATUSES = ("finished", "diverged", "failed")
_CLASS = "class_accuracy."


class RecordError(ValueError):
    """A record that cannot be used here; the message is one line and names the reason.

    It may be sound all the same: made by a later version, or by an installation that has more
    models. Whoever meets one leaves its file alone.
    """


class DamagedError(RecordError):
    """What is no record: broken JSON, or a key that does not belong to what it holds."""


@dataclass(frozen=True)
class Origin:
    """Where a record came from: enough to ask for the same run again.

    Attributes:
        commit: of this package's code, with "+" where its working tree differed; empty for a
            package that was installed, which `cvclaims`, its version, identifies.
        claims: the same of the repository whose claim first asked for the run.
        session: which session trained it; empty in records older than such ids.
        device, host: what tables show, such as "CPU, some processor, 2 cores".
        environment: versions of other packages, and variables that change what is computed.
        threads: of torch, on the CPU.
        stacked: how many networks trained side by side in the same tensors.
        steps: how steps were carried out: "eager", "graph", or either with the reason.
        precision: what the device computed in, which may be finer than what the recipe asks for,
            never coarser.
        data: what tables show, such as "CIFAR-10, JPEG re-encoded".
        stand_in: marks generated data that only resembles it, which is never judged.
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
    claims: str = ""
    session: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    steps: str = ""


@dataclass(frozen=True)
class Record(OfRecipe):
    """What one run did.

    Attributes:
        trained: what was carried out: a recipe, or a training of one's own.
        series: by name, in order; whatever a training of one's own logs. Of a recipe, per epoch:
            train_loss, train_accuracy (both over the epoch's batches as they were trained on),
            test_loss, test_accuracy, lr, seconds; without accuracies where numbers are predicted.
            A run that diverged ends with the epoch in which its loss stopped being finite, one with
            `patience` where that ran out.
        numbers: by name; whatever a training of one's own returns. Of a recipe: `parameters`, the
            number of trained ones; `images_per_second`, training samples per second over the run
            (in a stack of all its networks); `class_accuracy.<class>`, test accuracy of each class
            after the last epoch, with `patience` at the epoch that it went back to; `peak_bytes`,
            a GPU's memory in use at most, of what trained alone; and the recipe's own metrics.
        probes: what the recipe asked to record, by name (see `cvclaims.training.probes`).
    """

    trained: Trainable
    seed: int
    scale: str
    status: str
    series: Mapping[str, Sequence[float]]
    numbers: Mapping[str, float]
    probes: Mapping[str, Any]
    origin: Origin
    error: str = ""

    @property
    def key(self) -> str:
        """The hash that this run is stored under."""
        return run_key(self.trained, self.seed, self.origin.fingerprint, self.origin.revision)

    @property
    def epochs(self) -> int:
        """Epochs that were trained; fewer than the recipe's where the run diverged.

        Of a training of one's own: how often it logged what it logged most.
        """
        return max(map(len, self.series.values()), default=0)

    @property
    def most_epochs(self) -> int:
        """The epochs of the protocol; of a training of one's own those that there are."""
        return self.trained.epochs if isinstance(self.trained, Recipe) else self.epochs

    @property
    def parameters(self) -> int:
        """How many numbers were trained."""
        return int(self.numbers["parameters"])

    @property
    def images_per_second(self) -> float:
        """Training samples per second over the run."""
        return self.numbers["images_per_second"]

    @property
    def class_accuracy(self) -> list[float]:
        """Test accuracy of each class, in the recipe's order; empty for a run that crashed."""
        return [self.numbers[_CLASS + name] for name in self.class_names]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that it has an accuracy of, in the recipe's order."""
        return tuple(n.removeprefix(_CLASS) for n in self.numbers if n.startswith(_CLASS))

    def to_json(self) -> str:
        """The record as text; a number that is not finite becomes null."""
        body = {
            "schema": SCHEMA,
            "key": self.key,
            "recipe": self.trained.canonical(),
            "seed": self.seed,
            "scale": self.scale,
            "status": self.status,
            "error": self.error,
            "origin": dataclasses.asdict(self.origin),
            "numbers": rounded(self.numbers),
            "series": rounded(self.series),
            "probes": rounded(self.probes),
        }
        form = {"schema": SCHEMA, "digest": digest_of(body), **body}
        # One line for each field: short files that still diff well.
        lines = (f"{json.dumps(k)}: {json.dumps(v, allow_nan=False)}" for k, v in form.items())
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def read_back(self) -> "Record":
        """The record as a reader of its file sees it, rounded, but with its very recipe."""
        return dataclasses.replace(Record.from_json(self.to_json()), trained=self.trained)

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """Read and check a record.

        Raises DamagedError for what is none, RecordError for one that cannot be used here; both
        in one line.
        """
        form = _form(text)
        if form["schema"] > SCHEMA:
            raise RecordError(
                f"schema {form['schema']}, this cvclaims reads {SCHEMA}: upgrade cvclaims"
            )
        _check_key(form)
        try:
            return _checked(form)
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            ArithmeticError,
            RecursionError,
        ) as error:
            what = f"field {error} is missing" if isinstance(error, KeyError) else str(error)
            raise RecordError(" ".join(what.split())) from None


def by_class(recipe: Recipe, accuracies: Sequence[float]) -> dict[str, float]:
    """Accuracies in the order of a recipe's classes, as `Record.numbers` names them."""
    if not accuracies:
        return {}
    pairs = zip(recipe.class_names, accuracies, strict=True)
    return {_CLASS + name: value for name, value in pairs}


def run_key(
    recipe: Trainable, seed: int, fingerprint: str, revision: int = TRAINING_REVISION
) -> str:
    """SHA-256 (hex) of everything that decides what a run learns."""
    return _key(recipe.digest, seed, fingerprint, revision)


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


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


def _form(text: str) -> dict[str, Any]:
    """The JSON of a record, with a schema number; raises DamagedError."""

    def no_json(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")  # though Python's reader takes it

    try:
        form = json.loads(text, parse_constant=no_json)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"not JSON, perhaps cut off ({error})") from None
    schema = form.get("schema") if isinstance(form, dict) else None
    if type(schema) is not int or schema < 1:
        raise DamagedError("no record of cvclaims: it has no schema number")
    return dict(form)


def _check_key(form: Mapping[str, Any]) -> None:
    """Whether the key belongs to the run, though this installation may not know its recipe."""
    recipe, origin = form.get("recipe"), form.get("origin")
    if isinstance(recipe, dict) and isinstance(origin, dict):
        named = origin.get("fingerprint"), origin.get("revision")
        with contextlib.suppress(
            RecursionError, ValueError
        ):  # nested as deep as it could just be read
            if form.get("key") == _key(digest_of(recipe), form.get("seed"), *named):
                return
    raise DamagedError("its key does not belong to its recipe, seed and data: it was altered")


def _checked(form: Mapping[str, Any]) -> Record:
    if form["schema"] == 1:
        form = _from_schema_1(form)
    elif form["digest"] != digest_of({k: v for k, v in form.items() if k != "digest"}):
        raise ValueError("its digest does not belong to its content: it was altered; restore it")
    recipe = from_canonical(form["recipe"])
    record = Record(
        trained=recipe,
        seed=_int(form, "seed"),
        scale=form["scale"],
        status=form["status"],
        error=str(form["error"]),
        origin=_origin(form["origin"]),
        numbers={name: _number(value, name) for name, value in form["numbers"].items()},
        series={name: _floats(values, name) for name, values in form["series"].items()},
        probes=_probes(form["probes"]),
    )
    if record.key != form["key"]:
        raise ValueError("its recipe is not in canonical form, so its key is another's")
    if record.status not in STATUSES or record.scale not in SCALES:
        raise ValueError(f"status {record.status!r} or scale {record.scale!r} is unknown")
    if isinstance(recipe, Recipe):
        _check_series(record, recipe)
    return record


def _from_schema_1(form: Mapping[str, Any]) -> dict[str, Any]:
    """The same record as schema 2 has it: what were fields are numbers by name."""
    recipe, right = Recipe.from_canonical(form["recipe"]), form["class_accuracy"]
    if form["status"] != "failed" and len(right) != len(recipe.class_names):
        raise ValueError(
            f"class_accuracy has not the {len(recipe.class_names)} classes of its data"
        )
    numbers = {name: form[name] for name in ("parameters", "images_per_second")}
    return {
        **form,
        "series": form["curves"],
        "numbers": {**numbers, **by_class(recipe, right)},
    }


def _check_series(record: Record, recipe: Recipe) -> None:
    classes = _classes(recipe)
    accuracies: tuple[str, ...] = ("train_accuracy", "test_accuracy")
    if classes == 0 or (classes is None and "test_accuracy" not in record.series):
        accuracies = ()
    curves = [name for name in CURVES if not name.endswith("accuracy") or name in accuracies]
    missing = [name for name in curves if name not in record.series]
    missing += [name for name in ("parameters", "images_per_second") if name not in record.numbers]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    _int(record.numbers, "parameters")
    if len({len(record.series[name]) for name in curves}) != 1:
        raise ValueError("its curves differ in length")
    epochs, most = record.epochs, recipe.epochs
    stopped = recipe.patience is not None and 1 <= epochs <= most
    if record.status == "finished" and epochs != most and not stopped:
        raise ValueError(f"finished after {epochs} of {most} epochs")
    if record.status == "diverged" and not 1 <= epochs <= most:
        raise ValueError(f"diverged after {epochs} of {most} epochs")
    if record.status != "failed":
        for name in accuracies:
            if not all(0 <= value <= 1 for value in record.series[name]):
                raise ValueError(f"{name} lies outside 0 to 1")
        if classes is not None and len(record.class_accuracy) != classes:
            raise ValueError(f"class_accuracy has not the {classes} classes of its data")


def _classes(recipe: Recipe) -> int | None:
    """How many classes a recipe tells apart; None where its data are not known here."""
    try:
        return len(recipe.class_names)
    except NotHereError:
        return None


def _origin(form: Any) -> Origin:
    fields = {f.name: f for f in dataclasses.fields(Origin)}
    # What has a default came after the first records.
    plain = {name for name, f in fields.items() if f.default is f.default_factory}
    if not isinstance(form, dict) or not plain <= set(form):
        raise ValueError(f"origin lacks some of {', '.join(sorted(plain))}")
    if unknown := sorted(set(form) - set(fields)):
        raise ValueError(f"origin's {unknown[0]!r} is unknown")
    for name, value in form.items():
        if name == "environment":
            right = isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
        else:
            right = type(value) is fields[name].type
        if not right:
            raise ValueError(f"origin's {name} cannot be {value!r}")
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
    if not set(map(type, values)) <= _NUMBERS:  # one look at a long list of numbers
        values = [_number(value, name) for value in values]
    return [math.nan if value is None else float(value) for value in values]


def _number(value: Any, name: str) -> float:
    """A number as it stands, null as NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise ValueError(f"{name} holds {value!r}, which is no number")
    return math.nan if value is None else value
