"""What an author puts on networks, data and trainings of their own: `@model`, `@dataset`, ...

    @model
    def depthwise(shape, classes, *, width=32): ...

    @dataset
    def pets(): return (train_x, train_y), (test_x, test_y)

    @training
    def fit(run): ...

Each leaves what it is put on as it is, and notes its spec there. A name in a run's key is followed
by the digest of the code that it stands for (`cvclaims.code`), or by the `version` that the author
gives it and raises.
"""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar, overload

from cvclaims.catalogue import known
from cvclaims.code import UntoldError, digest_of
from cvclaims.specs import MARK, SPEC, DatasetSpec, Facts, ModelSpec, TrainingSpec

T = TypeVar("T", bound=Callable[..., Any])
Changes = Mapping[str, Any]
NONE: Changes = MappingProxyType({})


@overload
def model(thing: T, /) -> T: ...
@overload
def model(
    *,
    smoke: Changes = NONE,
    reduced: Changes = NONE,
    light: bool = False,
    version: str | int | None = None,
) -> Callable[[T], T]: ...
def model(
    thing: Any = None,
    /,
    *,
    smoke: Changes = NONE,
    reduced: Changes = NONE,
    light: bool = False,
    version: str | int | None = None,
) -> Any:
    """A network of one's own for `Recipe(model=...)`: a function or class that gives a Module.

    It takes the shape of a sample, such as (3, 32, 32), and the number of outputs, then arguments
    of its own by name; the Module takes (N, *shape) float32 and gives (N, outputs).

    Args:
        smoke: arguments that are others at smoke scale: nothing shrinks unless said here.
        reduced: likewise at reduced scale.
        light: it trains in seconds on one CPU core on data that are light too.
        version: stands for the code where that cannot be told (see `cvclaims.code`).
    """

    def put(thing: T) -> T:
        name = _name_of(thing, "model")
        first, rest = _parameters(thing, f"model {name}", ("shape", "classes"))
        if first != 2:
            raise ValueError(
                f"model {name} takes the shape of a sample and the number of outputs first, as in "
                f"def {name}(shape, classes, *, width=32)"
            )
        args = {p.name: p.default for p in rest if p.default is not p.empty}
        required = tuple(p.name for p in rest if p.default is p.empty)
        smaller = {"smoke": smoke, "reduced": reduced}
        for scale, changes in smaller.items():
            for arg in changes:
                known(f"argument of model {name!r} in `{scale}`:", arg, (*args, *required))
        spec = ModelSpec(
            stem=name,
            tag=_tag(thing, f"model {name!r}", version),
            build=thing,
            args=args,
            required=required,
            check=lambda given: _json(f"model {name!r}", given),
            light=light,
            smaller=smaller,
        )
        return _noted(thing, spec)

    return put if thing is None else put(thing)


@overload
def training(thing: T, /) -> T: ...
@overload
def training(*, version: str | int | None = None) -> Callable[[T], T]: ...
def training(thing: Any = None, /, *, version: str | int | None = None) -> Any:
    """A training of one's own for `Training(...)`: a function of a run, by any library.

    See `cvclaims.training.own.Running` for what it is given. It logs series by
    `run.log(loss=...)`, and may return numbers by name.
    """

    def put(thing: T) -> T:
        name = _name_of(thing, "training")
        first, rest = _parameters(thing, f"training {name}", ("run",))
        if first != 1 or any(p.default is p.empty for p in rest):
            raise ValueError(f"training {name} takes a run and nothing else, as in def {name}(run)")
        return _noted(thing, TrainingSpec(name, _tag(thing, f"training {name!r}", version), thing))

    return put if thing is None else put(thing)


@overload
def dataset(thing: T, /) -> T: ...
@overload
def dataset(
    *,
    title: str = "",
    classes: Sequence[str] = (),
    targets: int = 0,
    shape: tuple[int, ...] = (),
    train: int | None = None,
    test: int | None = None,
    files: Sequence[str] | str = (),
    light: bool = False,
    version: str | int | None = None,
) -> Callable[[T], T]: ...
def dataset(
    thing: Any = None,
    /,
    *,
    title: str = "",
    classes: Sequence[str] = (),
    targets: int = 0,
    shape: tuple[int, ...] = (),
    train: int | None = None,
    test: int | None = None,
    files: Sequence[str] | str = (),
    light: bool = False,
    version: str | int | None = None,
) -> Any:
    """Data of one's own for `Recipe(data=...)`: a function that gives arrays or tensors.

    It returns (train x, train y), (test x, test y) and may take the data folder. x of uint8 and
    (N, C, H, W) are images, which networks see standardised by channel; any other is taken as
    float32, as it is. y holds classes from 0, or their names; or floats, (N,) or (N, targets), to
    be predicted.

    Args:
        title: what tables show; the function's name.
        classes: the names of the classes. Where this and the next four are left out, the function
            is called for them while tests are collected; where they are said it must keep to them.
        targets: how many numbers are to be predicted, where there are no classes.
        shape: a sample's.
        train: how many training samples there are.
        test: likewise of the test set.
        files: what it reads below the data folder, as patterns such as "pets/*.npz". The arrays
            are then kept packed in the cache until one of these files changes; else the function
            is called in every session.
        light: a protocol on it takes seconds on one CPU core.
        version: stands for the code where that cannot be told (see `cvclaims.code`).
    """

    def put(thing: T) -> T:
        from cvclaims.data.own import Source

        name = _name_of(thing, "data set")
        first, rest = _parameters(thing, f"data set {name}", ("folder",))
        if any(p.default is p.empty for p in rest):
            raise ValueError(
                f"data set {name} takes the data folder or nothing: def {name}(folder)"
            )
        said = {"classes": tuple(classes), "targets": targets}
        declared = _declared(name, {**said, "shape": shape, "train": train, "test": test})
        patterns = (files,) if isinstance(files, str) else tuple(files)
        source = Source(name, title or name, thing, bool(first), patterns, declared)
        spec = DatasetSpec(
            stem=name,
            title=title or name,
            tag=_tag(thing, f"data set {name!r}", version),
            read=source.facts,
            load=source.load,
            light=light,
        )
        source.spec = spec
        return _noted(thing, spec)

    return put if thing is None else put(thing)


def image_folder(folder: str, *, size: int, title: str = "", light: bool = False) -> DatasetSpec:
    """A folder of images, below the data folder, as data: `image_folder("pets", size=64)`.

    It holds `train` and `test`, and each of them a folder of images for each class. Each image is
    made RGB, scaled until its shorter side is `size`, and cut out in the middle. Raises ValueError.
    """
    from cvclaims.data.own import Pictures

    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 1024:
        raise ValueError(f"image_folder {folder!r}: size is 1 to 1024 pixels, not {size!r}")
    source = Pictures(folder, size)
    name = f"{folder.replace('/', '-')}{MARK}{size}px"
    source.spec = DatasetSpec(
        stem=name, title=title or folder, read=source.facts, load=source.load, light=light
    )
    return source.spec


def _declared(name: str, said: dict[str, Any]) -> Facts | None:
    """The facts that were said; None where none were."""
    if not any(said.values()):
        return None
    lacking = [what for what in ("shape", "train", "test") if not said[what]]
    if bool(said["classes"]) == bool(said["targets"]):
        lacking.append("one of classes and targets")
    if lacking:
        raise ValueError(
            f"data set {name}: say classes, shape, train and test, or none of them; it lacks "
            f"{', '.join(lacking)}"
        )
    return Facts(**said)


def _name_of(thing: Any, what: str) -> str:
    name = getattr(thing, "__name__", None)
    if not callable(thing) or not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"a {what} is a function or a class with a name, not {thing!r}")
    return name


def _noted(thing: T, spec: object) -> T:
    setattr(thing, SPEC, spec)
    return thing


def _parameters(
    thing: Callable[..., Any], what: str, leading: Sequence[str]
) -> tuple[int, list[inspect.Parameter]]:
    """How many of the leading parameters it takes, by whatever name, and its others."""
    parameters = list(inspect.signature(thing).parameters.values())
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    if any(p.kind in kinds for p in parameters):
        raise ValueError(f"{what} names its arguments: without *args or **kwargs")
    by_place = [p for p in parameters if p.kind is not p.KEYWORD_ONLY and p.default is p.empty][
        : len(leading)
    ]
    return len(by_place), [p for p in parameters if p not in by_place]


def _tag(thing: Callable[..., Any], what: str, version: str | int | None) -> Callable[[], str]:
    """What follows the name in keys; of the code, it is told once all that it reaches is there."""
    if version is not None:
        if isinstance(version, bool) or not isinstance(version, str | int) or version == "":
            raise ValueError(f"{what}: version is a word or a number, not {version!r}")
        return lambda: f"v{version}"

    def digest() -> str:
        try:
            return digest_of(thing)
        except UntoldError as why:
            raise ValueError(f"{what}: {why}") from None

    return digest


def _json(what: str, args: dict[str, Any]) -> dict[str, Any]:
    """Arguments that can stand in a key."""
    for name, value in args.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError(
                f"{what}: {name} is {value!r}; arguments are numbers, texts, and lists of such, as "
                "they belong to the run's key"
            ) from None
    return args
