"""The options of the suite: one prefix, an ini twin for each, checked before anything runs."""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.plugins.gpu import gpu_present as gpu_present
from cvclaims.plugins.gpu import is_mac as is_mac
from cvclaims.text import clean

if TYPE_CHECKING:
    from cvclaims.records import Store

SCALES = ("auto", "smoke", "reduced", "full")

# name, what it takes, help. Help texts start in lower case and say the default.
OPTIONS = (
    ("scale", "SCALE", "auto, smoke, reduced or full (default auto: full where there is a GPU or "
     "the claim takes seconds on a CPU; the others are not evaluated)"),
    ("seeds", "N", "train at most N seeds, 1 to 20 (a verdict is looked for at 3, 5, 8; 13, 20)"),
    ("data", "FOLDER", "the folder of the data sets (default: CVCLAIMS_DATA, else ./data)"),
    ("results", "FOLDER", "where tables and figures are written (default: .cvclaims/results)"),
    ("store", "FOLDER", "where records are kept (default: records in the results folder)"),
    ("engine", "ENGINE", "where runs are carried out (default inline: in this process)"),
    ("live", "TOOLS", "tell tensorboard, trackio or wandb of every run, too (names, with commas)"),
    ("device", "DEVICE", "auto, cpu, cuda, cuda:N or mps (default auto: a GPU where there is one)"),
)  # fmt: skip
FLAGS = (
    ("replay", "judge from stored records alone, training nothing"),
    ("rerun", "train again what the store already holds"),
    ("strict", "fail claims whose verdict is inconclusive"),
    ("plan", "print what the selected claims would train, and an estimate of the time, instead"),
    ("table", "print every claim of this session, as -v does"),
)
# What is chosen anew each time, and so has no ini twin.
CHOICES = (
    ("id", "IDS", "run the claims with these ids alone, such as 5.10,3.* (patterns, with commas)"),
)


@dataclass(frozen=True)
class Settings:
    """What the options say, after defaults.

    Attributes:
        default: the folder of our own below the root, whether results and records go there or not.
    """

    scale: str
    seeds: int | None
    data: Path | None
    results: Path
    store: Path
    default: Path
    device: str
    engine: str
    live: tuple[str, ...]
    replay: bool
    rerun: bool
    strict: bool
    plan: bool
    table: bool
    ids: tuple[str, ...]

    def header(self) -> str:
        """What pytest's header says, on one line."""
        mode = ", replay" if self.replay else ", rerun" if self.rerun else ""
        mode += ", plan" if self.plan else ""
        there = (" (GPU)" if gpu_present() else " (no GPU)") if self.device == "auto" else ""
        return clean(
            f"claims: scale {self.scale}{mode}, device {self.device}{there}, data: {self._held()}, "
            f"store: {shown(self.store)}"
        )

    def _held(self) -> str:
        """The data folder and the sets in it; at smoke scale also what stands in for the others."""
        from cvclaims.data.folder import found
        from cvclaims.specs import DATASETS

        held = found(self.data)
        titles = {name: facts.title for name, facts in DATASETS.items() if facts.get}
        if self.data is None:
            told = "no folder (scikit-learn's sets only)"
        else:
            told = f"{self.data} ({', '.join(titles[name] for name in held) or 'no known set'})"
        absent = [title for name, title in titles.items() if name not in held]
        if self.scale == "smoke" and absent:
            told += f", generated stand-ins for {', '.join(absent)}"
        return told

    def open_store(self) -> "Store":
        """The store; read-only where nothing is trained."""
        from cvclaims.records import Store

        return Store(self.store, read_only=self.replay or self.plan)


def refusal(why: str) -> pytest.UsageError:
    """What ends a session in one line; it may quote whatever was given."""
    return pytest.UsageError(clean(why))


def keep_from_git(folder: Path, default: Path) -> None:
    """Before a folder below our own is written to: where that is new, git is to pass over it.

    What git should keep has a folder that was named, as pytest's cache has one of its own.
    """
    if default not in folder.parents:
        return
    with suppress(OSError):  # it is there, or nothing can be written: whoever writes next says so
        default.mkdir()
        (default / ".gitignore").write_text("# Made by cvclaims.\n*\n", encoding="utf-8")


def add_options(parser: pytest.Parser) -> None:
    """Register the options and their ini twins (`claims_scale` for `--claims-scale`)."""
    group = parser.getgroup("claims", "claims of computer vision reports (cvclaims)")
    for name, metavar, text in OPTIONS:
        group.addoption(
            f"--claims-{name}", metavar=metavar, default=None, help=text.replace("%", "%%")
        )
        parser.addini(f"claims_{name}", f"default of --claims-{name}", default=None)
    for name, text in FLAGS:
        group.addoption(f"--claims-{name}", action="store_true", default=None, help=text)
        parser.addini(f"claims_{name}", f"default of --claims-{name}", type="bool", default=None)
    for name, metavar, text in CHOICES:
        group.addoption(f"--claims-{name}", metavar=metavar, default=None, help=text)


def any_given(config: pytest.Config) -> bool:
    """Whether this project or command line says anything about claims."""
    chosen = (config.getoption(f"claims_{name}", None) for name, *_ in CHOICES)
    given = (_given(config, name) for name, *_ in (*OPTIONS, *FLAGS))
    return any(value is not None for value in (*chosen, *given))


def is_plan(config: pytest.Config) -> bool:
    """Whether a plan is asked for, whatever the other options say."""
    return bool(_given(config, "plan"))


def has_options(config: pytest.Config) -> bool:
    """Whether the plugin that has the options is there: others work by the defaults without it."""
    return hasattr(config.option, "claims_plan")


def read(config: pytest.Config) -> Settings:
    """The settings; raises UsageError in one line for a value that cannot be meant."""
    given = {name: _given(config, name) for name, *_ in (*OPTIONS, *FLAGS)}
    default = config.rootpath / ".cvclaims"
    results = _path(config, "results") or default / "results"
    return Settings(
        scale=_scale(given["scale"] or "auto"),
        seeds=_seeds(given["seeds"]) if given["seeds"] else None,
        data=_data(config),
        results=results,
        default=default,
        store=_path(config, "store") or results / "records",
        device=_device(given["device"] or "auto"),
        engine=_engine(given["engine"]),
        live=_live(given["live"]),
        replay=bool(given["replay"]),
        rerun=bool(given["rerun"]),
        strict=bool(given["strict"]),
        plan=bool(given["plan"]),
        table=bool(given["table"]),
        ids=_ids(config.getoption("claims_id", None)),
    )


def check(settings: Settings, *, runs: bool) -> None:
    """Raise UsageError for settings that would only fail after hours of training."""
    from cvclaims.records import StoreError

    if settings.replay and settings.rerun:
        raise refusal("--claims-replay trains nothing and --claims-rerun all: choose one")
    if settings.replay and settings.scale == "smoke":
        raise refusal("--claims-replay judges; smoke records judge nothing")
    if settings.replay and settings.plan:
        raise refusal("--claims-replay trains nothing that could be planned: choose one")
    if not runs or settings.plan:
        return
    _check_results(settings.results)
    if not settings.replay:
        keep_from_git(settings.store, settings.default)
    try:
        settings.open_store().check()
    except StoreError as error:
        raise refusal(f"--claims-store: {error}") from None
    except OSError as error:
        where = _short(settings.store)
        raise refusal(f"--claims-store: {where} cannot be used ({error.strerror})") from None


def _check_results(folder: Path) -> None:
    """Whether the tables can be written, without making the folder before there are any."""
    try:
        folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # what it would lie in is looked at below
    except OSError as error:
        raise refusal(
            f"--claims-results: {_short(folder)} cannot be used ({error.strerror})"
        ) from None
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise refusal(f"--claims-results: {there} is a file; name a folder")
    if not os.access(there, os.W_OK):
        raise refusal(f"--claims-results: {there} cannot be written; name another folder")


def shown(path: Path) -> str:
    """A path as seen from here, where it lies below: tables should not name a person's folders."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _given(config: pytest.Config, name: str) -> Any:
    value = config.getoption(f"claims_{name}", None)
    return _ini(config, name) if value is None else value


def _ini(config: pytest.Config, name: str) -> Any:
    if not has_options(config):
        return None
    try:
        return config.getini(f"claims_{name}")
    except (TypeError, ValueError, pytest.UsageError) as error:
        raise refusal(f"claims_{name}: {error}") from None


def _path(config: pytest.Config, name: str) -> Path | None:
    """A folder: an option is meant from where the person stands, an ini value from its file."""
    option = config.getoption(f"claims_{name}", None)
    if option:
        return _folder(config.invocation_params.dir, option, name)
    ini = _ini(config, name)
    return _from_ini(config, ini, name) if ini else None


def _from_ini(config: pytest.Config, folder: str, name: str) -> Path:
    """A folder that the ini file names: pytest's root may lie elsewhere, by --rootdir."""
    base = config.inipath.parent if config.inipath else config.invocation_params.dir
    return _folder(base, folder, name)


def _folder(base: Path, given: str, name: str) -> Path:
    try:
        return (base / Path(given).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # no such user, a loop of links, ...
        why = getattr(error, "strerror", None) or error
        raise refusal(f"--claims-{name}: {_short(given)} cannot be used ({why})") from None


def _short(given: object) -> str:
    """What was given, as far as a line of an error has room for it."""
    text = str(given)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _scale(given: str) -> str:
    if given not in SCALES:
        raise refusal(f"--claims-scale: {_short(given)!r} is none of {', '.join(SCALES)}")
    return given


def _seeds(given: str) -> int:
    if not re.fullmatch("0*([1-9]|1[0-9]|20)", given):
        raise refusal(
            f"--claims-seeds: {_short(given)!r} is no number from 1 to 20; the rules' bounds hold "
            "for looks at 3, 5 and 8 seeds, and at 13 and 20 where a run takes seconds"
        )
    return int(given)


def _data(config: pytest.Config) -> Path | None:
    """The data folder as it was named: messages about it end up in tables."""
    from cvclaims.data.folder import DataError, session_folder

    option, ini = config.getoption("claims_data", None), _ini(config, "data")
    if ini:
        ini = shown(_from_ini(config, ini, "data"))
    try:
        return session_folder(option, ini)
    except DataError as error:
        raise refusal(str(error)) from None
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise refusal(f"--claims-data: the folder of the sets cannot be used ({why})") from None


def _engine(given: str | None) -> str:
    """An engine that is installed; asked for by name, as nothing else looks for entry points."""
    if given is None:
        return "inline"
    from cvclaims.engines import engine_named

    try:
        engine_named(given)
    except ValueError as error:
        raise refusal(f"--claims-engine: {error}") from None
    except Exception as error:  # whatever the import of somebody's engine raises
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        raise refusal(f"--claims-engine: {_short(given)} cannot be loaded ({what})") from None
    return given


def _live(given: str | None) -> tuple[str, ...]:
    """The tools to tell of every run."""
    from cvclaims.plugins.trackers import TRACKERS

    names = tuple(part.strip() for part in (given or "").split(",") if part.strip())
    if unknown := [name for name in names if name not in TRACKERS]:
        raise refusal(f"--claims-live: {_short(unknown[0])!r} is none of {', '.join(TRACKERS)}")
    return names


def _ids(given: str | None) -> tuple[str, ...]:
    """The patterns of the ids to run; empty for all claims."""
    asked = tuple(part.strip() for part in (given or "").split(",") if part.strip())
    if given is not None and not asked:
        raise refusal("--claims-id names no claim; write ids such as 5.10,3.*")
    return asked


def _device(given: str) -> str:
    if re.fullmatch("auto|cpu|mps|cuda|cuda:[0-9]{1,4}", given):
        return given
    raise refusal(f"--claims-device: {_short(given)!r} is none of auto, cpu, cuda, cuda:N, mps")
