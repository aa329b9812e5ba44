"""What a name means: the networks and the data that a recipe may name.

Plain facts, without torch, so that recipes can be checked while tests are collected. A built-in
one is filled in here, as a stranger's is by `@model` and `@dataset` (`cvclaims.own`): what trains,
scales and judges knows a spec alone, and not whose it is.
"""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from cvclaims.catalogue import known

# What stands in the name of a stranger's thing before the digest of its code, or its version: a
# name with it may be of what is not here, and is then no mistake.
MARK = "@"


class NotHereError(RuntimeError):
    """What is asked about data that is not here, or cannot be used; the message is one line."""


@dataclass(frozen=True)
class Facts:
    """What is known of a data set before it is loaded.

    `shape` is a sample's; `classes` are empty where the targets are numbers, `targets` of each
    sample. `test_counts` holds the test samples of each class, where these are not equally many.
    """

    train: int
    test: int
    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    targets: int = 0
    test_counts: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class DatasetSpec:
    """A data set by its name.

    Attributes:
        stem: its name; a stranger's is followed by what `tag` gives, the digest of its code or its
            version, which is asked for once what that reaches is there.
        title: what tables show.
        read: gives its facts, and may look at the data for them. Raises `data.folder.DataError`.
        light: a whole protocol on it takes seconds on one CPU core, so it is judged in full
            everywhere.
        get: how a person comes by it; empty where it needs no download.
        load: gives the whole of it, a `data.dataset.Dataset`, from the data folder; or where that
            function stands, as "module:function".
        can_stand_in: whether generated images may stand in for it at smoke scale.
    """

    stem: str
    title: str
    tag: Callable[[], str] = str
    read: Callable[[], Facts]
    load: Callable[..., Any] | str
    light: bool = False
    get: str = ""
    can_stand_in: bool = False

    @functools.cached_property
    def name(self) -> str:
        """What it is called in keys."""
        return _tagged(self.stem, self.tag())

    @functools.cached_property
    def facts(self) -> Facts:
        """What is known of it; read off once."""
        return self.read()

    @property
    def is_here(self) -> bool:
        """Whether it can be loaded, and not only be read of in a record."""
        return bool(self.load)

    @property
    def train(self) -> int:
        """Training samples."""
        return self.facts.train

    @property
    def test(self) -> int:
        """Test samples."""
        return self.facts.test

    @property
    def shape(self) -> tuple[int, ...]:
        """A sample's."""
        return self.facts.shape

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; empty where targets are numbers."""
        return self.facts.classes

    def class_counts(self) -> tuple[int, ...]:
        """The test samples of each class."""
        each = len(self.classes) and self.test // len(self.classes)
        return self.facts.test_counts or (each,) * len(self.classes)

    def __str__(self) -> str:
        return self.stem.partition(MARK)[0]


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelSpec:
    """A network by its name.

    Attributes:
        stem: as of a `DatasetSpec`.
        build: makes it from a sample's shape, the number of outputs and its arguments; or where
            that function stands, as "module:function".
        args: its arguments beyond these two that have a default, with it.
        required: those that have none.
        choices: where an argument has few values, all of them.
        check: makes of the arguments what the function takes; raises ValueError.
        shape: the only shape of samples that it takes; empty: any.
        flat: it sees features, an image as a row of numbers.
        stacks: several train side by side in the same tensors.
        light: a network of it trains in seconds on light data.
        probes: of `catalogue.PROBES`, those that it alone offers.
        narrows: arguments that are a width, or widths, and shrink with the scale.
        smaller: by scale, arguments that it has there instead.
        torchvision: whether torchvision draws its initialisation in a way of its own.
        megamacs: multiply-adds of one forward pass of one sample, in millions, at width 1, by its
            depth where it has one: what tells long work from short before anything is built.
    """

    stem: str
    tag: Callable[[], str] = str
    build: Callable[..., Any] | str
    args: Mapping[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    choices: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    check: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    shape: tuple[int, ...] = ()
    flat: bool = False
    stacks: bool = False
    light: bool = False
    probes: tuple[str, ...] = ()
    narrows: tuple[str, ...] = ()
    smaller: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    torchvision: bool = False
    megamacs: Mapping[int | None, float] = field(default_factory=lambda: {None: 30.0})

    @functools.cached_property
    def name(self) -> str:
        """What it is called in keys."""
        return _tagged(self.stem, self.tag())

    @property
    def is_here(self) -> bool:
        """Whether it can be built, and not only be read of in a record."""
        return bool(self.build)

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All its arguments, where these are given; raises ValueError."""
        if not isinstance(given, Mapping):
            raise ValueError(f"model_args must name arguments of {str(self)!r}, not {given!r}")
        if not self.is_here:
            return dict(given)
        for name in given:
            known(f"argument of model {str(self)!r}:", name, (*self.args, *self.required))
        for name in self.required:
            if name not in given:
                raise ValueError(f"model {str(self)!r} needs {name}: name it in model_args")
        args = {**self.args, **given}
        for name, choices in self.choices.items():
            if all(isinstance(choice, str) for choice in choices):
                known(name, args[name], choices)
            elif args[name] not in choices:
                listed = ", ".join(map(str, choices))
                raise ValueError(
                    f"{name} {args[name]!r} of model {str(self)!r} is none of {listed}"
                )
        return self.check(args) if self.check is not None else args

    def __str__(self) -> str:
        return self.stem.partition(MARK)[0]


def _tagged(stem: str, tag: str) -> str:
    return f"{stem}{MARK}{tag}" if tag else stem


def _perceptron(args: dict[str, Any]) -> dict[str, Any]:
    hidden = args["hidden"]
    widths = tuple(hidden) if isinstance(hidden, list | tuple) else (None,)
    if not all(type(width) is int and width > 0 for width in widths):
        raise ValueError(f"hidden must be positive whole numbers, not {hidden!r}")
    slope = args["negative_slope"]
    if isinstance(slope, bool) or not isinstance(slope, int | float) or not math.isfinite(slope):
        raise ValueError(f"negative_slope must be a finite number, not {slope!r}")
    return {**args, "hidden": widths}


# What a perceptron may have between its layers.
ACTIVATIONS = ("relu", "leaky_relu", "sigmoid")


def _images(name: str, function: str, **more: Any) -> ModelSpec:
    """A convolutional network of 3 × 32 × 32 images with a width."""
    more["args"] = {**more.get("args", {}), "width": 1.0}
    return ModelSpec(stem=name, build=function, shape=(3, 32, 32), narrows=("width",), **more)


_MODELS = (
    ModelSpec(
        stem="mlp",
        build="cvclaims.models.mlp:MLP",
        args={"hidden": (256, 128), "activation": "relu", "negative_slope": 0.01},
        choices={"activation": ACTIVATIONS},
        check=_perceptron,
        flat=True,
        stacks=True,
        light=True,
        probes=("units", "boundary"),
        narrows=("hidden",),
        megamacs={None: 0.1},
    ),
    _images(
        "alexnet",
        "cvclaims.models.alexnet:alexnet",
        args={"lrn": False, "pool": "overlapping", "dropout": 0.5},
        choices={"pool": ("overlapping", "plain")},
        megamacs={None: 160},
    ),
    _images(
        "vgg",
        "cvclaims.models.vgg:vgg",
        args={
            **{"depth": 16, "kernel": 3, "batch_norm": False, "lrn": False},
            **{"head": "mlp", "dropout": 0.5},
        },
        choices={"depth": (11, 13, 16, 19, 50), "kernel": (3, 7), "head": ("mlp", "linear")},
        torchvision=True,
        megamacs={11: 172, 13: 248, 16: 333, 19: 418, 50: 1290},
    ),
    _images(
        "inception",
        "cvclaims.models.inception:inception",
        args={"modules": 9, "batch_norm": True, "dropout": 0.4},
        choices={"modules": (9, 23)},
        megamacs={9: 1530, 23: 3500},
    ),
    _images(
        "small_inception",
        "cvclaims.models.inception:small_inception",
        args={"reductions": True},
        megamacs={None: 90},
    ),
    _images(
        "resnet",
        "cvclaims.models.resnet:ResNet",
        args={"depth": 18, "zero_gamma": False, "stage1_stride": 1},
        choices={"depth": (18, 50, 101), "stage1_stride": (1, 2)},
        torchvision=True,
        megamacs={18: 556, 50: 1300, 101: 2520},
    ),
    _images(
        "conv4",
        "cvclaims.models.conv4:conv4",
        args={"activation": "relu", "stacked": False},
        choices={
            "activation": ("relu", "leaky_relu", "prelu", "elu", "selu", "tanh", "sigmoid"),
        },
        megamacs={None: 30},
    ),
)


def _built_in(name: str, title: str, facts: Facts, load: str, **more: Any) -> DatasetSpec:
    return DatasetSpec(stem=name, title=title, read=lambda: facts, load=load, **more)


def _downloaded(name: str, title: str, facts: Facts, load: str) -> DatasetSpec:
    get = f"python -m cvclaims.data {name}"
    return _built_in(name, title, facts, load, get=get, can_stand_in=True)


_DATASETS = (
    _built_in(
        "digits",
        "Digits",
        Facts(
            1437,
            360,
            (64,),
            tuple("0123456789"),
            test_counts=(36, 36, 35, 37, 36, 37, 36, 36, 35, 36),
        ),
        "cvclaims.data.toy:digits",
        light=True,
    ),
    _built_in(
        "moons",
        "Moons",
        Facts(700, 300, (2,), ("upper", "lower")),
        "cvclaims.data.toy:moons",
        light=True,
    ),
    _built_in(
        "circles",
        "Circles",
        Facts(700, 300, (2,), ("outer", "inner")),
        "cvclaims.data.toy:circles",
        light=True,
    ),
    _downloaded(
        "fashion_mnist",
        "Fashion-MNIST",
        Facts(
            60_000,
            10_000,
            (1, 28, 28),
            (
                *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
                *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
            ),
        ),
        "cvclaims.data.images:fashion_mnist",
    ),
    _downloaded(
        "cifar10",
        "CIFAR-10",
        Facts(
            50_000,
            10_000,
            (3, 32, 32),
            (
                *("airplane", "automobile", "bird", "cat", "deer"),
                *("dog", "frog", "horse", "ship", "truck"),
            ),
        ),
        "cvclaims.data.cifar10:cifar10",
    ),
)

MODELS: Mapping[str, ModelSpec] = MappingProxyType({spec.name: spec for spec in _MODELS})
DATASETS: Mapping[str, DatasetSpec] = MappingProxyType({spec.name: spec for spec in _DATASETS})
TORCHVISION = tuple(spec.name for spec in _MODELS if spec.torchvision)


def model_spec(given: object) -> ModelSpec:
    """The spec of a network by its name, or of what `@model` was put on; raises ValueError."""
    found: ModelSpec = _found(given, ModelSpec, "model", MODELS, _absent_model)
    return found


def dataset_spec(given: object) -> DatasetSpec:
    """The spec of a data set by its name, or of what `@dataset` was put on; raises ValueError."""
    found: DatasetSpec = _found(given, DatasetSpec, "data set", DATASETS, _absent_dataset)
    return found


@dataclass(frozen=True, eq=False)
class TrainingSpec:
    """A training of one's own; `function` is None where only its name is known."""

    stem: str
    tag: Callable[[], str] = str
    function: Callable[..., Any] | None = None

    @functools.cached_property
    def name(self) -> str:
        """What it is called in keys."""
        return _tagged(self.stem, self.tag())

    def __str__(self) -> str:
        return self.stem.partition(MARK)[0]


def training_spec(given: object) -> TrainingSpec:
    """The spec of what `@training` was put on, or of a record's name of it; raises ValueError."""
    if isinstance(given, TrainingSpec):
        return given
    if isinstance(spec := getattr(given, "__dict__", {}).get(SPEC), TrainingSpec):
        return spec
    if isinstance(given, str) and MARK in given:
        return TrainingSpec(given)
    name = getattr(given, "__name__", repr(given))
    raise ValueError(f"{name} is no training yet: put @training of cvclaims above it")


S = TypeVar("S", ModelSpec, DatasetSpec)


def named_or_spec(spec: S) -> S | str:
    """A name where that says all; a stranger's spec itself, which may not know its name yet."""
    names: Mapping[str, Any] = {**MODELS, **DATASETS}
    return spec.stem if names.get(spec.stem) is spec or not spec.is_here else spec


def _found(
    given: Any,
    kind: type[Any],
    what: str,
    built_in: Mapping[str, Any],
    absent: Callable[[str], Any],
) -> Any:
    if isinstance(given, kind):
        return given
    # Of a class, its own: what inherits from a model is another one.
    spec = getattr(given, "__dict__", {}).get(SPEC)
    if isinstance(spec, kind):
        return spec
    if callable(given):
        mark = "model" if what == "model" else "dataset"
        name = getattr(given, "__name__", repr(given))
        raise ValueError(f"{name} is no {what} yet: put @{mark} of cvclaims above it")
    if isinstance(given, str) and MARK in given:
        return absent(given)
    return built_in[known(what, given, built_in)]


@dataclass(frozen=True, eq=False)
class MetricSpec:
    """A number of one's own: `function(outputs, targets)`, None where only its name is known."""

    name_of: Callable[[], str]
    function: Callable[..., Any] | None = None

    @functools.cached_property
    def name(self) -> str:
        """What it is called in keys: its function's name and the digest of its code."""
        return self.name_of()


def metric_spec(name: str, given: object) -> MetricSpec:
    """The spec of a metric: of a function, or of the name that a record has of one."""
    if isinstance(given, MetricSpec):
        return given
    if isinstance(given, str):
        return MetricSpec(lambda: given)
    if not callable(given):
        raise ValueError(f"metric {name!r} is a function of outputs and targets, not {given!r}")
    stem = getattr(given, "__name__", type(given).__name__)

    def tagged() -> str:
        from cvclaims.code import UntoldError, digest_of

        try:
            return _tagged(stem, digest_of(given))
        except UntoldError as why:
            raise ValueError(f"metric {name!r}: {why}") from None

    return MetricSpec(tagged, given)


# Where a stranger's function or class keeps its spec.
SPEC = "__cvclaims_spec__"


@functools.cache
def _absent_model(name: str) -> ModelSpec:
    """A stranger's network that a record names: its code may be elsewhere, or have changed."""
    return ModelSpec(stem=name, build="")


@functools.cache
def _absent_dataset(name: str) -> DatasetSpec:
    """A stranger's data set that a record names."""

    def unknown() -> Facts:
        raise NotHereError(f"data set {name!r} is of code that is not here")

    return DatasetSpec(stem=name, title=name.partition(MARK)[0], read=unknown, load="")


def built(where: Callable[..., Any] | str) -> Callable[..., Any]:
    """What a spec's `build` or `load` stands for."""
    if callable(where):
        return where
    from importlib import import_module

    module, _, function = where.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
