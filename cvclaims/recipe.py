"""What to train: one flat dataclass, its canonical form, and the scales.

A recipe holds everything that decides what is learned, except the seed, the bytes of the data
and the training code; `cvclaims.records.key` adds those. Field names are torch's.
"""

import dataclasses
import functools
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cvclaims.catalogue import (
    CHOICES,
    DATASETS,
    INITS,
    LOSSES,
    MODELS,
    OPTIMIZERS,
    PROBES,
    SCALES,
    SCHEDULERS,
    known,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """One way to train one network.

    Raises ValueError, in one line that names the field, when it cannot be trained.

    Attributes:
        data: a data set of `catalogue.DATASETS`.
        train_size: train on a stratified subset of this many samples; None: on all.
        test_size: likewise for the test set.
        model: a model of `catalogue.MODELS`, built with `model_args` over its defaults.
        init: "default" (torch's own), or with zero biases "normal" (N(0, init_std²)),
            "xavier_uniform" or "kaiming_normal" (fan out, ReLU), as in `torch.nn.init`.
        loss: "cross_entropy"; "softmax_mse", the mean over all entries of
            (softmax(logits) - one-hot)²; or "mse", the same on the logits themselves.
        optimizer: "sgd", "adam" or "adamw", as in `torch.optim`, with `lr`, `momentum` (SGD only)
            and `weight_decay`.
        scheduler: None for a constant rate; "exponential" multiplies it by `gamma` each epoch.
        epochs: passes over the training data.
        batch_size: None for the whole training set at once.
        probes: what is recorded besides curves and gradient norms: "units" (dead units and
            activation histograms), "boundary" (the prediction over a grid; 2-D data).
        assumed: the fields that the report does not state and that we chose. They are shown in
            every table; they do not change what is trained.
    """

    data: str
    train_size: int | None = None
    test_size: int | None = None
    model: str = "mlp"
    model_args: Mapping[str, Any] = field(default_factory=dict)
    init: str = "default"
    init_std: float = 0.01
    loss: str = "cross_entropy"
    optimizer: str = "sgd"
    lr: float
    momentum: float = 0.0
    weight_decay: float = 0.0
    scheduler: str | None = None
    gamma: float = 1.0
    epochs: int
    batch_size: int | None = 128
    probes: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_names()
        self._check_numbers()
        object.__setattr__(self, "model_args", _model_args(self.model, self.model_args))
        if "units" in self.probes and not self.model_args.get("hidden"):
            raise ValueError("probe 'units' looks at an MLP's hidden layers; there are none")

    def _check_names(self) -> None:
        known("data set", self.data, DATASETS)
        known("model", self.model, MODELS)
        known("init", self.init, INITS)
        known("loss", self.loss, LOSSES)
        known("optimizer", self.optimizer, OPTIMIZERS)
        if self.scheduler is not None:
            known("scheduler", self.scheduler, SCHEDULERS)
        if not isinstance(self.probes, tuple):
            raise ValueError(f"probes must be a tuple of names, not {self.probes!r}")
        for probe in self.probes:
            known("probe", probe, PROBES)
        names = {f.name for f in dataclasses.fields(self)} - {"assumed"}
        for name in self.assumed:
            known("recipe field in `assumed`", name, names)
        if self.model != "mlp" and DATASETS[self.data].shape != (3, 32, 32):
            raise ValueError(f"model {self.model!r} takes 3 × 32 × 32 images; {self.data!r} is not")
        if "boundary" in self.probes and DATASETS[self.data].shape != (2,):
            raise ValueError(f"probe 'boundary' needs 2-D data; {self.data!r} is not")

    def _check_numbers(self) -> None:
        for name in ("lr", "init_std", "gamma"):
            _number(self, name, positive=True)
        for name in ("momentum", "weight_decay"):
            _number(self, name, positive=False)
        if self.momentum >= 1:
            raise ValueError(f"momentum must be below 1, not {self.momentum!r}")
        if self.momentum and self.optimizer != "sgd":
            raise ValueError(f"momentum belongs to sgd; {self.optimizer} has its own: leave it out")
        facts = DATASETS[self.data]
        _count(self, "epochs", None)
        _count(self, "train_size", facts.train)
        _count(self, "test_size", facts.test)
        _count(self, "batch_size", self.train_size or facts.train)

    def but(self, **changes: Any) -> "Recipe":
        """The same recipe with some fields changed; unknown fields raise TypeError."""
        return dataclasses.replace(self, **changes)

    def canonical(self) -> dict[str, Any]:
        """The fields that decide what is learned, as JSON types, defaults left out.

        Leaving out defaults keeps a recipe's key when a later version adds a field.
        """
        model_defaults = MODELS[self.model]
        args = {k: _plain(v) for k, v in self.model_args.items() if v != model_defaults[k]}
        form: dict[str, Any] = {"model_args": args} if args else {}
        for f in dataclasses.fields(self):
            if f.name in ("model_args", "assumed"):
                continue
            value = getattr(self, f.name)
            if f.default is dataclasses.MISSING or value != f.default:
                form[f.name] = _plain(value)
        return form

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical form: equal for recipes that train the same."""
        text = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def from_canonical(cls, form: Mapping[str, Any]) -> "Recipe":
        """The inverse of `canonical`; raises ValueError on anything that is no recipe."""
        fields = dict(form)
        if isinstance(fields.get("probes"), list):
            fields["probes"] = tuple(fields["probes"])
        try:
            return cls(**fields)
        except TypeError as error:
            raise ValueError(f"not a recipe: {error}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipe) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def light(self) -> bool:
        """Whether the full protocol takes seconds on one CPU core."""
        return DATASETS[self.data].light

    @property
    def cost(self) -> int:
        """Samples to be seen, a rough measure for trying long work first."""
        return self.epochs * (self.train_size or DATASETS[self.data].train)


def _model_args(model: str, given: Mapping[str, Any]) -> dict[str, Any]:
    defaults = MODELS[model]
    if not isinstance(given, Mapping):
        raise ValueError(f"model_args must name arguments of {model!r}, not {given!r}")
    for name in given:
        known(f"argument of model {model!r}:", name, defaults)
    args = {**defaults, **given}
    for name, choices in CHOICES[model].items():
        if all(isinstance(choice, str) for choice in choices):
            known(name, args[name], choices)
        elif args[name] not in choices:
            listed = ", ".join(map(str, choices))
            raise ValueError(f"{name} {args[name]!r} of model {model!r} is none of {listed}")
    if "hidden" in args:
        args["hidden"] = _hidden(args["hidden"])
    slope = args.get("negative_slope", 0.0)
    if isinstance(slope, bool) or not isinstance(slope, int | float) or not math.isfinite(slope):
        raise ValueError(f"negative_slope must be a finite number, not {slope!r}")
    return args


def _hidden(given: Any) -> tuple[int, ...]:
    widths = tuple(given) if isinstance(given, list | tuple) else (None,)
    if not all(type(width) is int and width > 0 for width in widths):
        raise ValueError(f"hidden must be positive whole numbers, not {given!r}")
    return widths


def _number(recipe: Recipe, name: str, *, positive: bool) -> None:
    value = getattr(recipe, name)
    # Beyond a float's range an int would make isfinite() raise.
    number = not isinstance(value, bool) and isinstance(value, int | float)
    if not number or not abs(value) < 1e308:
        raise ValueError(f"{name} must be a finite number, not {value!r}")
    if value < 0 or (positive and value == 0):
        raise ValueError(f"{name} must be {'above 0' if positive else '0 or more'}, not {value!r}")
    # 1 and 1.0 are the same rate and must have the same key.
    object.__setattr__(recipe, name, float(value))


def _count(recipe: Recipe, name: str, most: int | None) -> None:
    value = getattr(recipe, name)
    if value is None and name != "epochs":
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number of 1 or more, not {value!r}")
    if most is not None and value > most:
        raise ValueError(f"{name} {value} is more than the {most} samples of {recipe.data!r}")


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def scaled(recipe: Recipe, scale: str) -> Recipe:
    """The recipe at a scale; a pure function. Raises ValueError for an unknown scale.

    full: as it stands. reduced: light recipes as they stand; others on 10,000 training samples,
    a quarter of the width, a third of the epochs. smoke: a few hundred samples, narrow nets, two
    epochs, for every recipe: it shows that the code runs, and nothing else.
    """
    known("scale", scale, SCALES)
    if scale == "full" or (scale == "reduced" and recipe.light):
        return recipe
    facts = DATASETS[recipe.data]
    if scale == "reduced":
        size, test, epochs, narrow = 10_000, facts.test, -(-recipe.epochs // 3), 4
    else:
        size, test, epochs, narrow = 256, 256, 2, 8
    train_size = min(size, recipe.train_size or facts.train)
    args = dict(recipe.model_args)
    if "hidden" in args:
        args["hidden"] = tuple(min(w, max(8, w // narrow)) for w in args["hidden"])
    return recipe.but(
        train_size=train_size,
        test_size=min(test, recipe.test_size or facts.test),
        epochs=min(recipe.epochs, epochs),
        batch_size=recipe.batch_size and min(recipe.batch_size, train_size),
        model_args=args,
    )


def scale_name(recipe: Recipe, scale: str) -> str:
    """The scale that a run really has: "full" where scaling down leaves a recipe as it was."""
    return "full" if scaled(recipe, scale) == recipe else scale
