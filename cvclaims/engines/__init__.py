"""Where runs are carried out.

An engine gives the records of the runs it is asked for, and takes times. `inline` trains in this
process and shares the work with others through the store; `replay` trains nothing. Another one is
found by its entry point in the group "cvclaims.engines": a function that takes a `Session` and
gives an `Engine`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cvclaims.catalogue import known
from cvclaims.events import Progress
from cvclaims.plan import Run
from cvclaims.records import Record, Store

if TYPE_CHECKING:
    import torch

    from cvclaims.training.timing import Times

GROUP = "cvclaims.engines"
BUILT_IN = {"inline": "cvclaims.engines.inline:start", "replay": "cvclaims.engines.replay:start"}


class NotEvaluated(Exception):  # noqa: N818
    """A claim cannot be evaluated here; the message says why, and what to do about it."""


class RunFailed(RuntimeError):  # noqa: N818
    """A run crashed: an error, never a refutation."""


class DeviceLost(RuntimeError):  # noqa: N818
    """The device answers this process no more: nothing is recorded, and the process has to end."""


@dataclass(frozen=True)
class Session:
    """What an engine is started with.

    Attributes:
        device: gives this process's device, and imports torch for it.
        plan: every run that the session is known to need, in the order of work.
        share: among how many processes the work is shared out.
        session: the session's id, which its records carry.
        rerun: whether records of other sessions do not count.
        claims: a folder of the repository that the claims lie in; records name its commit.
        report: called as runs go on and end; None: nobody looks.
    """

    store: Store
    device: "Callable[[], torch.device]"
    data_folder: Path | None
    plan: Sequence[Run] = ()
    share: int = 1
    session: str = ""
    rerun: bool = False
    claims: Path | None = None
    report: Callable[[Progress], None] | None = None


class Evidence(Protocol):
    """What a verdict asks for records."""

    def records(self, runs: Sequence[Run]) -> list[Record]:
        """The record of each run, in order.

        Raises NotEvaluated where a run cannot be had here, RunFailed where it crashed.
        """


class Engine(Evidence, Protocol):
    """What carries out runs, and takes times.

    Attributes:
        trained: the keys of the runs that were trained here.
        read: the keys of the runs that were found in the store.
        unwritten: records of finished runs that could not be written.
    """

    trained: set[str]
    read: set[str]
    unwritten: list[Record]

    def times(self, first: Any, second: Any, seed: int, scale: str) -> "Times":
        """Times of two recipes, or of two functions `make(device)`, side by side and alone.

        At smoke scale, which judges no time, beside others. Raises NotEvaluated.
        """

    def close(self) -> None:
        """Write what could not be written; raises UnwrittenError where it still cannot be."""


class Refusing:
    """An engine for claims whose runs cannot be had here."""

    def __init__(self, why: str) -> None:
        self.why = why

    def records(self, runs: Sequence[Run]) -> list[Record]:
        """Raise NotEvaluated."""
        raise NotEvaluated(self.why)

    def times(self, first: Any, second: Any, seed: int, scale: str) -> "Times":
        """Raise NotEvaluated."""
        raise NotEvaluated(self.why)


def engine_named(name: str) -> Callable[[Session], Engine]:
    """What starts an engine, by its entry point; ValueError where none has that name."""
    found = {name: metadata.EntryPoint(name, where, GROUP) for name, where in BUILT_IN.items()}
    if name not in found:  # asking every installed package takes its time
        found |= {point.name: point for point in metadata.entry_points(group=GROUP)}
    start: Callable[[Session], Engine] = found[known("engine", name, sorted(found))].load()
    return start
