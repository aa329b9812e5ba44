"""What to train: one flat dataclass, and its canonical form.

A recipe holds everything that decides what is learned, except the seed, the bytes of the data
and the training code; `cvclaims.records.key` adds those. Field names are torch's.
"""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from cvclaims.catalogue import (
    AUGMENTATIONS,
    INITS,
    LOSSES,
    MONITORS,
    OPTIMIZERS,
    PIXELS,
    PRECISIONS,
    PROBES,
    SCHEDULERS,
    known,
)
from cvclaims.scales import scaled
from cvclaims.specs import (
    MODELS,
    TORCHVISION,
    DatasetSpec,
    MetricSpec,
    ModelSpec,
    NotHereError,
    dataset_spec,
    metric_spec,
    model_spec,
    named_or_spec,
)

# The fields that say nothing of what is trained.
UNTRAINED = ("assumed", "reduced")
# What every run measures, by name; `class_accuracy.<class>` besides.
CURVES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "lr", "seconds")
NUMBERS = ("parameters", "images_per_second", "peak_bytes")
MEASURED = (*CURVES, *NUMBERS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """One way to train one network.

    Raises ValueError, in one line that names the field, when it cannot be trained.

    Attributes:
        data: a data set of `specs.DATASETS`, or what `@dataset` was put on.
        classes: keep these classes alone, labelled in this order; empty: all.
        train_size: train on a stratified subset of this many samples; None: on all.
        test_size: likewise for the test set.
        pixels: how networks see images: "standardised" by the data set's mean and standard
            deviation of each channel, or "raw", from 0 to 1.
        augment: what is done to each training image, anew in each epoch: names of
            `catalogue.AUGMENTATIONS`, described in `cvclaims.data.augment`.
        model: a model of `specs.MODELS`, or what `@model` was put on; it is built with
            `model_args` over its defaults.
        init: "default" (torch's own), or with zero biases "normal" (N(0, init_std²)),
            "xavier_uniform" or "kaiming_normal" (fan in, ReLU), as in `torch.nn.init`; or
            "torchvision", as torchvision's VGG or ResNet draws it.
        loss: "cross_entropy"; "softmax_mse", the mean over all entries of
            (softmax(logits) - one-hot)²; or "mse", the same on the logits themselves.
        optimizer: "sgd", "adam" or "adamw", as in `torch.optim`, with `lr`, `momentum` (SGD only)
            and `weight_decay`.
        scheduler: None for a constant rate; "exponential" multiplies it by `gamma` each epoch,
            "step" every `step_size` epochs; "cosine" lowers it to 0 over `epochs`, an epoch at a
            time. As in `torch.optim.lr_scheduler`.
        warmup: so many epochs before the schedule begins, in which the rate rises to `lr` in equal
            steps: in the first it is lr / (warmup + 1). As `SequentialLR` of
            `LinearLR(1 / (warmup + 1), total_iters=warmup)` and the scheduler.
        epochs: passes over the training data.
        patience: stop once `monitor` has not fallen for so many epochs, and go back to the epoch
            where it was lowest; None: train all `epochs`.
        monitor: "test_loss", or "held_out_loss" of `held_out` samples.
        held_out: so many training samples, stratified, are not trained on but monitored.
        batch_size: None for the whole training set at once.
        precision: of convolutions and matrix products: "fp32"; "tf32", which only CUDA knows; or
            "bf16", torch's autocast to bfloat16, where parameters and updates stay fp32.
        probes: what is recorded besides curves and gradient norms: "units" (dead units and
            activation histograms), "boundary" (the prediction over a grid; 2-D data),
            "evaluated_train_accuracy" (accuracy on the training images as they are, without
            augmentation or dropout, of the network that training ends with).
        metrics: numbers of one's own, by name: functions of the outputs (N, outputs) and the
            targets, (N,) or (N, targets), of all test samples, in evaluation mode, after training:
            float32 and int64, or float32, tensors on the CPU.
        own_seeds: whether what is drawn at random comes from the seed and the recipe together, so
            that runs of two recipes are independent. Else runs of one seed share their order of
            samples, and networks of one shape their start.
        assumed: the fields that the report does not state and that we chose. They are shown in
            every table; they do not change what is trained.
        reduced: the recipe's own reduced scale, as the fields that `shrunk` changes; empty: that
            of `cvclaims.scales`. It does not change what is trained at another scale.
    """

    data: Any
    classes: tuple[str, ...] = ()
    train_size: int | None = None
    test_size: int | None = None
    pixels: str = "standardised"
    augment: tuple[str, ...] = ()
    model: Any = "mlp"
    model_args: Mapping[str, Any] = field(default_factory=dict)
    init: str = "default"
    init_std: float = 0.01
    loss: str = "cross_entropy"
    optimizer: str = "sgd"
    lr: float
    momentum: float = 0.0
    weight_decay: float = 0.0
    scheduler: str | None = None
    warmup: int = 0
    gamma: float = 1.0
    step_size: int | None = None
    epochs: int
    patience: int | None = None
    monitor: str = "test_loss"
    held_out: int = 0
    batch_size: int | None = 128
    precision: str = "fp32"
    probes: tuple[str, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    own_seeds: bool = False
    assumed: tuple[str, ...] = ()
    reduced: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", named_or_spec(dataset_spec(self.data)))
        object.__setattr__(self, "model", named_or_spec(model_spec(self.model)))
        self._check_names()
        self._check_numbers()
        object.__setattr__(self, "model_args", self.network.checked(self.model_args))
        # However they are named, they are done in one order, so that makes one recipe.
        ordered = tuple(name for name in AUGMENTATIONS if name in self.augment)
        object.__setattr__(self, "augment", ordered)
        object.__setattr__(self, "metrics", _metrics(self.metrics))
        if self.init == "torchvision" and not self.network.torchvision:
            raise ValueError(
                f"init 'torchvision' is that of {' and '.join(TORCHVISION)}; {str(self.model)!r} "
                "is neither: write 'default'"
            )
        if "units" in self.probes and self.network.is_here and not self.model_args.get("hidden"):
            raise ValueError("probe 'units' looks at an MLP's hidden layers; there are none")
        with suppress(NotHereError):
            self._check_data()
        self._check_reduced()

    @property
    def dataset(self) -> DatasetSpec:
        """What is known of its data."""
        return dataset_spec(self.data)

    @property
    def network(self) -> ModelSpec:
        """What is known of its model."""
        return model_spec(self.model)

    def _check_names(self) -> None:
        known("init", self.init, INITS)
        known("loss", self.loss, LOSSES)
        known("optimizer", self.optimizer, OPTIMIZERS)
        if self.scheduler is not None:
            known("scheduler", self.scheduler, SCHEDULERS)
        known("pixels", self.pixels, PIXELS)
        known("precision", self.precision, PRECISIONS)
        known("monitored curve", self.monitor, MONITORS)
        _names(self, "probes", "probe", PROBES)
        _names(self, "augment", "augmentation", AUGMENTATIONS)
        _names(self, "classes", "class", None)
        names = {f.name for f in dataclasses.fields(self)} - set(UNTRAINED)
        for name in self.assumed:
            known("recipe field in `assumed`", name, names)
        if len(self.classes) == 1:
            raise ValueError(f"classes must name two or more, not only {self.classes[0]!r}")
        if self.network.flat and self.augment:
            raise ValueError(
                f"augment belongs to convolutional networks, not to {str(self.model)!r}"
            )
        for name in self.probes:
            of = [spec.stem for spec in MODELS.values() if name in spec.probes]
            if of and name not in self.network.probes and self.network.is_here:
                raise ValueError(f"probe {name!r} looks into {' and '.join(of)} alone")

    def _check_data(self) -> None:
        """Whether all of it belongs to these data; raises NotHereError where they are not known."""
        data = self.dataset
        for name in self.classes:
            known("class", name, data.classes)
        if self.network.shape and data.shape != self.network.shape:
            takes = " × ".join(map(str, self.network.shape))
            raise ValueError(
                f"model {str(self.model)!r} takes {takes} images; {str(data)!r} is not"
            )
        images = len(data.shape) == 3
        if self.augment and not images:
            raise ValueError(f"augment belongs to images; {str(data)!r} has none")
        if self.pixels == "raw" and not images:
            raise ValueError(f"pixels 'raw' belongs to images; {str(data)!r} has none")
        if "boundary" in self.probes and data.shape != (2,):
            raise ValueError(f"probe 'boundary' needs 2-D data; {str(data)!r} is not")
        if not data.classes and self.loss != "mse":
            raise ValueError(
                f"loss {self.loss!r} tells classes apart; {str(data)!r} has numbers for targets: "
                "loss='mse'"
            )
        if not data.classes and "evaluated_train_accuracy" in self.probes:
            raise ValueError(f"{str(data)!r} has numbers for targets, and so no accuracy")
        _count(self, "train_size", self._available("train"))
        _count(self, "test_size", self._available("test"))
        whole = self.train_samples + self.held_out
        if self.held_out >= whole:
            raise ValueError(f"held_out {self.held_out} leaves none of {whole} training samples")
        _count(self, "batch_size", self.train_samples)

    def _check_numbers(self) -> None:
        for name in ("lr", "init_std", "gamma"):
            _number(self, name, positive=True)
        for name in ("momentum", "weight_decay"):
            _number(self, name, positive=False)
        if self.momentum >= 1:
            raise ValueError(f"momentum must be below 1, not {self.momentum!r}")
        if self.momentum and self.optimizer != "sgd":
            raise ValueError(f"momentum belongs to sgd; {self.optimizer} has its own: leave it out")
        _count(self, "epochs", None)
        for name in ("train_size", "test_size", "batch_size", "step_size"):
            _count(self, name, None)
        self._check_stopping()
        if type(self.warmup) is not int or not 0 <= self.warmup < self.epochs:
            raise ValueError(
                f"warmup must be a whole number of epochs below epochs {self.epochs}, not "
                f"{self.warmup!r}"
            )
        if not isinstance(self.own_seeds, bool):
            raise ValueError(f"own_seeds must be True or False, not {self.own_seeds!r}")
        if (self.scheduler == "step") != (self.step_size is not None):
            raise ValueError("step_size belongs to scheduler 'step', which needs it")

    def _check_stopping(self) -> None:
        _count(self, "patience", None)
        if type(self.held_out) is not int or self.held_out < 0:
            raise ValueError(f"held_out must be a whole number of 0 or more, not {self.held_out!r}")
        if self.patience is None and self.monitor != "test_loss":
            raise ValueError(f"monitor {self.monitor!r} does nothing without patience")
        if (self.monitor == "held_out_loss") != (self.held_out > 0):
            raise ValueError("monitor 'held_out_loss' needs held_out samples, which serve it alone")

    def _check_reduced(self) -> None:
        if not isinstance(self.reduced, Mapping):
            raise ValueError(
                f"reduced must name fields, such as {{'epochs': 10}}, not {self.reduced!r}"
            )
        if not self.reduced:
            return
        # With other data or classes it would be another statement.
        names = {f.name for f in dataclasses.fields(self)} - {*UNTRAINED, "data", "classes"}
        for name in self.reduced:
            known("recipe field in `reduced`", name, names)
        try:
            with suppress(NotHereError):
                self.shrunk(**self.reduced)
        except ValueError as error:
            raise ValueError(f"`reduced` is no recipe: {error}") from None
        object.__setattr__(self, "reduced", dict(self.reduced))

    def _available(self, part: str) -> int:
        """Samples of the chosen classes; every set that is cut into classes has equal ones."""
        facts, whole = self.dataset.facts, int(getattr(self.dataset, part))
        return whole * len(self.classes) // len(facts.classes) if self.classes else whole

    @property
    def train_samples(self) -> int:
        """Training samples that an epoch passes over."""
        return (self.train_size or self._available("train")) - self.held_out

    @property
    def test_samples(self) -> int:
        """Test samples that each epoch ends with."""
        return self.test_size or self._available("test")

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that the network tells apart, in the order of its outputs."""
        return self.classes or self.dataset.classes

    @property
    def outputs(self) -> int:
        """How many numbers the network gives for a sample: one a class, or one a target."""
        return len(self.class_names) or self.dataset.facts.targets

    def but(self, **changes: Any) -> "Recipe":
        """The same recipe with some fields changed; unknown fields raise TypeError."""
        return dataclasses.replace(self, **changes)

    def shrunk(self, **changes: Any) -> "Recipe":
        """A smaller protocol, with some fields changed and no `reduced` of its own.

        As `but`, except that `epochs`, `train_size` and `test_size` are never more than here,
        `model_args` are changed one by one, and `step_size` and `warmup`, where they are not
        named, shrink with the epochs.
        """
        whole = {
            "epochs": (self.epochs, self.epochs),
            "train_size": (self.train_samples + self.held_out, self.train_size),
            "test_size": (self.test_samples, self.test_size),
        }
        for name, (most, mine) in whole.items():
            if type(changes.get(name)) is int and changes[name] >= most:
                changes[name] = mine
        if isinstance(changes.get("model_args"), Mapping):
            changes["model_args"] = {**self.model_args, **changes["model_args"]}
        if type(epochs := changes.get("epochs")) is int:
            share = epochs / self.epochs
            changes.setdefault(
                "step_size", self.step_size and max(1, round(self.step_size * share))
            )
            changes.setdefault("warmup", min(round(self.warmup * share), epochs - 1))
        return self.but(**changes, reduced={})

    def canonical(self) -> dict[str, Any]:
        """The fields that decide what is learned, as JSON types, defaults left out.

        Leaving out defaults keeps a recipe's key when a later version adds a field.
        """
        args = {
            name: _plain(value)
            for name, value in self.model_args.items()
            if name not in self.network.args or value != self.network.args[name]
        }
        metrics = {name: metric.name for name, metric in self.metrics.items()}
        named = {"data": self.dataset.name, "model": self.network.name}
        form: dict[str, Any] = {"model_args": args} if args else {}
        form |= {"metrics": metrics} if metrics else {}
        for f in dataclasses.fields(self):
            if f.name in ("model_args", "metrics", *UNTRAINED):
                continue
            value = named.get(f.name, getattr(self, f.name))
            if f.default is dataclasses.MISSING or value != f.default:
                form[f.name] = _plain(value)
        return form

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical form: equal for recipes that train the same."""
        return digest_of_form(self.canonical())

    def at(self, scale: str) -> "Recipe":
        """What it becomes at a scale; see `scales.scaled`."""
        return scaled(self, scale)

    @property
    def folder(self) -> str:
        """The store's folder of its records."""
        return self.dataset.name

    @property
    def available(self) -> None:
        """As many runs as are asked for."""

    def refusal(self, scale: str) -> str:
        """It runs at every scale."""
        return ""

    def describe(self) -> str:
        """It in a few words, for messages."""
        return f"{self.model} on {self.data}, {self.optimizer} lr {self.lr:g}, {self.loss}"

    def random_source(self, seed: int) -> str:
        """What a run's random streams are drawn from; see `own_seeds` and `cvclaims.seeds`."""
        return f"{seed}/{self.digest}" if self.own_seeds else str(seed)

    @classmethod
    def from_canonical(cls, form: Mapping[str, Any]) -> "Recipe":
        """The inverse of `canonical`; raises ValueError on anything that is no recipe."""
        fields = dict(form)
        for name in ("probes", "augment", "classes"):
            if isinstance(fields.get(name), list):
                fields[name] = tuple(fields[name])
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
        return self.dataset.light and self.network.light

    @property
    def quick(self) -> bool:
        """Whether many seeds are cheap: those of light data, and perceptrons on Fashion-MNIST."""
        return self.light or (self.model == "mlp" and self.data == "fashion_mnist")

    @property
    def cost(self) -> int:
        """Training samples to be seen."""
        return self.epochs * self.train_samples

    @property
    def work(self) -> float:
        """Multiply-adds of training, roughly and in millions: for trying long work first."""
        args, by_depth = self.model_args, self.network.megamacs
        macs = by_depth[args.get("depth", args.get("modules")) if None not in by_depth else None]
        if not self.network.shape:  # a stranger's, of which no more is known
            return float(3 * self.cost * macs)
        kernel = args.get("kernel", 3) ** 2 / 9
        return float(3 * self.cost * macs * kernel * args.get("width", 1.0) ** 2)


def digest_of_form(form: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a form of JSON types, whatever the order of its fields."""
    text = json.dumps(form, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _metrics(given: Any) -> dict[str, MetricSpec]:
    if not isinstance(given, Mapping):
        raise ValueError(f"metrics must name functions, such as {{'f1': macro_f1}}, not {given!r}")
    for name in given:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"a metric's name is a word such as 'f1', not {name!r}")
        if name in MEASURED:
            raise ValueError(f"metric {name!r}: every run has that name already; choose another")
    return {name: metric_spec(name, function) for name, function in sorted(given.items())}


def _names(recipe: Recipe, field_name: str, what: str, choices: Iterable[str] | None) -> None:
    given = getattr(recipe, field_name)
    if not isinstance(given, tuple):
        raise ValueError(f"{field_name} must be a tuple of names, not {given!r}")
    if choices is not None:
        for name in given:
            known(what, name, choices)
    if len(set(given)) != len(given):
        raise ValueError(f"{field_name} names one twice: {', '.join(given)}")


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
        raise ValueError(f"{name} {value} is more than the {most} samples of {str(recipe.data)!r}")


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple) else value
