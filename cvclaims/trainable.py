"""What can be trained: a recipe, a training of one's own, runs that were logged elsewhere.

Plan, store, judge and results know what stands in `Trainable` alone.
"""

import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from cvclaims.catalogue import SCALES, known
from cvclaims.recipe import Recipe, digest_of_form
from cvclaims.specs import DatasetSpec, TrainingSpec, dataset_spec, named_or_spec, training_spec


class Trainable(Protocol):
    """One arm of a claim: what is carried out once per seed."""

    @property
    def assumed(self) -> tuple[str, ...]:
        """What the report does not state and that we chose, by name."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical form: equal for what trains the same."""

    @property
    def folder(self) -> str:
        """The store's folder of its records."""

    @property
    def available(self) -> int | None:
        """How many runs there are in all; None: as many as are asked for."""

    @property
    def work(self) -> float:
        """About the multiply-adds of a run, in millions: for trying long work first."""

    @property
    def light(self) -> bool:
        """Whether a run of the full protocol takes seconds on one CPU core."""

    @property
    def quick(self) -> bool:
        """Whether many seeds are cheap."""

    def canonical(self) -> dict[str, Any]:
        """All that decides what is learned, as JSON types."""

    def at(self, scale: str) -> "Trainable":
        """What it becomes at a scale."""

    def refusal(self, scale: str) -> str:
        """Why it cannot run at a scale; empty where it can."""

    def describe(self) -> str:
        """It in a few words, for messages."""


def is_trainable(thing: object) -> bool:
    """Whether a claim may name it among its recipes."""
    return not isinstance(thing, type) and all(
        hasattr(thing, part) for part in ("canonical", "digest", "at", "describe", "available")
    )


class OfRecipe:
    """What has a `trained` thing, and a `recipe` where that is one."""

    trained: Trainable

    @property
    def recipe(self) -> Recipe:
        """The recipe of a run of the built-in loop; ValueError for any other run."""
        if not isinstance(self.trained, Recipe):
            raise ValueError(
                f"{self.trained.describe()} is no Recipe, and has nothing that belongs to one: ask "
                "for what it logs or returns"
            )
        return self.trained


# What `Training` takes beside its settings.
_ITS_OWN = ("data", "light", "reduced", "smoke", "assumed")


@dataclasses.dataclass(frozen=True, eq=False, init=False)
class Training:
    """A training of one's own, with its settings: `Training(fit, lr=0.1, epochs=10)`.

    Raises ValueError, in one line that names the setting, for what cannot be one.

    Attributes:
        function: what `@training` was put on.
        settings: what it is told, by name: numbers, texts, and lists and mappings of such.
        data: a data set by its name, or what `@dataset` was put on; its fingerprint belongs to the
            runs' keys, and the function finds it as `run.data`. None: the function sees to its own
            data, and what is read there has to be told by a setting or by `version=`.
        light: it takes seconds on one CPU core, so it is judged everywhere.
        reduced: the settings that are others at reduced scale; empty: it has none.
        smoke: likewise at smoke scale.
        assumed: the settings that the report does not state and that were chosen.
    """

    function: TrainingSpec
    settings: Mapping[str, Any]
    data: Any
    light: bool
    reduced: Mapping[str, Any]
    smoke: Mapping[str, Any]
    assumed: tuple[str, ...]

    def __init__(
        self,
        function: Any,
        *,
        data: Any = None,
        light: bool = False,
        reduced: Mapping[str, Any] = MappingProxyType({}),
        smoke: Mapping[str, Any] = MappingProxyType({}),
        assumed: tuple[str, ...] = (),
        **settings: Any,
    ) -> None:
        spec = training_spec(function)
        if data is not None:
            data = named_or_spec(dataset_spec(data))
        if not isinstance(light, bool):
            raise ValueError(f"training {spec}: light is True or False, not {light!r}")
        _check_settings(spec, settings)
        for name, changes in (("reduced", reduced), ("smoke", smoke)):
            if not isinstance(changes, Mapping):
                raise ValueError(
                    f"training {spec}: {name} names settings, as in {{'epochs': 1}}, "
                    f"not {changes!r}"
                )
            for changed in changes:
                known(f"setting of training {spec} in `{name}`:", changed, settings)
            _check_settings(spec, changes)
        for changed in assumed:
            known(f"setting of training {spec} in `assumed`:", changed, settings)
        values = (spec, settings, data, light, dict(reduced), dict(smoke), tuple(assumed))
        for field, value in zip(dataclasses.fields(self), values, strict=True):
            object.__setattr__(self, field.name, value)

    @property
    def dataset(self) -> DatasetSpec | None:
        """What is known of its data, if it names any."""
        return None if self.data is None else dataset_spec(self.data)

    def but(self, **changes: Any) -> "Training":
        """The same training with some settings changed, or others of its arguments."""
        for name in changes:
            known(f"setting of training {self.function}:", name, (*self.settings, *_ITS_OWN))
        own = {name: getattr(self, name) for name in _ITS_OWN}
        return Training(self.function, **{**own, **self.settings, **changes})

    def canonical(self) -> dict[str, Any]:
        """The function by its name and its code's digest, and the settings."""
        form: dict[str, Any] = {"training": self.function.name, "settings": _plain(self.settings)}
        return form if self.dataset is None else {**form, "data": self.dataset.name}

    @classmethod
    def from_canonical(cls, form: Mapping[str, Any]) -> "Training":
        """The inverse of `canonical`; raises ValueError on anything that is no training."""
        if not isinstance(form.get("settings"), dict) or not {*form} <= _CANONICAL:
            raise ValueError(f"not a training: {form!r}")
        return cls(form["training"], data=form.get("data"), **form["settings"])

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical form."""
        return digest_of_form(self.canonical())

    def at(self, scale: str) -> "Training":
        """With the settings that it declares for a scale; as it stands where it declares none."""
        known("scale", scale, SCALES)
        changes: Mapping[str, Any] = {} if scale == "full" else getattr(self, scale)
        return self.but(reduced={}, smoke={}, **changes) if changes else self

    @property
    def folder(self) -> str:
        """The store's folder of its records: its data's, or the function's name."""
        return self.function.name if self.dataset is None else self.dataset.name

    @property
    def quick(self) -> bool:
        """Whether many seeds are cheap: where it is light."""
        return self.light

    @property
    def work(self) -> float:
        """Nobody knows: as much as most recipes."""
        return 0.0 if self.light else 1e9

    @property
    def available(self) -> None:
        """As many runs as are asked for."""

    def refusal(self, scale: str) -> str:
        """Why it cannot run at a scale: it may have none that is smaller."""
        if scale == "full" or getattr(self, scale):
            return ""
        return f"{self.function} has no {scale} scale: give Training its `{scale}` settings"

    def describe(self) -> str:
        """The function and its settings."""
        told = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return f"{self.function}({told})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Training) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


_CANONICAL = {"training", "settings", "data"}


def _check_settings(spec: TrainingSpec, settings: Mapping[str, Any]) -> None:
    for name, value in settings.items():
        if not _is_plain(value):
            raise ValueError(
                f"training {spec}: setting {name} is {value!r}; settings are numbers, texts, and "
                "lists and mappings of such, as they belong to the run's key"
            )


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _is_plain(part) for name, part in value.items())
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)


def _plain(value: Any) -> Any:
    """As JSON would give it back."""
    return json.loads(json.dumps(value, default=dict))


def from_canonical(form: Mapping[str, Any]) -> Recipe | Training:
    """What a record's form stands for; raises ValueError on anything else."""
    return (Training if "training" in form else Recipe).from_canonical(form)
