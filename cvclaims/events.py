"""What a session does while it does it: progress, its journal, and the state that a journal tells.

A session's processes append one line of JSON an event to one file, `.sessions/<session>.jsonl` in
its store. Whoever watches, in the session or from another terminal, reads that file: events go
in, `State` comes out. It is decoration: whatever goes wrong with it stops no run.
"""

import json
import os
import platform
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvclaims.text import clean

if TYPE_CHECKING:
    from rich.table import Table

FOLDER = ".sessions"
# So many sessions' journals are kept; the oldest go when a new one is begun.
KEPT = 50
# A run's epochs are written down at most so often.
EVERY_SECONDS = 1.0
# Without an event for so long, and from another machine, a session may be dead.
SILENCE_SECONDS = 600.0
_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}\.jsonl", re.ASCII)


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        what: the run in a few words.
        key: the beginning of its key.
        beside: how many other networks train in the same stack.
        step, steps: epochs so far and in all; of a training of one's own how often it logged, and 0.
        numbers: the newest of each that is followed, by name.
        rate: training samples per second of all of them; 0 where unknown.
        left: seconds to the end; None where unknown.
        done: what became of it, once it is over.
    """

    what: str
    key: str
    beside: int = 0
    step: int = 0
    steps: int = 0
    numbers: Mapping[str, float] = field(default_factory=dict)
    rate: float = 0.0
    left: float | None = None
    done: str = ""

    def told(self) -> str:
        """All of it in one line."""
        more = f" (+{self.beside} beside it)" if self.beside else ""
        parts = [f"epoch {self.step}/{self.steps}"] if self.steps else []
        parts += [f"{name} {value:.4g}" for name, value in self.numbers.items()]
        parts += [f"{self.rate:,.0f} images/s"] if self.rate else []
        parts += [f"{self.left:.0f} s left"] if self.left is not None else []
        return f"{self.what}{more}: {', '.join(parts)}"


class Journal:
    """A session's file of events, as one of its processes writes it; begun with its first event."""

    def __init__(self, store: Path, session: str, worker: str, claims: int = 0) -> None:
        self.path = store / FOLDER / f"{session}.jsonl"
        self.fault = ""
        self._worker, self._claims = worker, claims
        self._handle: int | None = None
        self._last: dict[str, float] = {}

    def progress(self, claim: str, progress: Progress) -> None:
        """Write down how far a run is, at most once a second; its end always."""
        now = time.monotonic()
        if not progress.done and now - self._last.get(progress.key, -EVERY_SECONDS) < EVERY_SECONDS:
            return
        self._last[progress.key] = now
        if self._handle is None:
            self._begin()
        self.write("progress", claim=claim, **asdict(progress))

    def write(self, event: str, **facts: Any) -> None:
        """One event in one line and one call, so that no other process's comes in between.

        Nothing is written before the session has trained something.
        """
        if self._handle is None and not self.path.exists():
            return
        form = {"time": round(time.time(), 2), "worker": self._worker, "event": event, **facts}
        try:
            if self._handle is None:
                flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
                self._handle = os.open(self.path, flags)
            os.write(self._handle, f"{json.dumps(form)}\n".encode())
        except (OSError, ValueError) as error:
            self.fault = self.fault or f"{self.path} cannot be written ({error}): nobody can watch"

    def _begin(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            old = sorted(p for p in self.path.parent.iterdir() if _NAME.fullmatch(p.name))
            for path in old[: -KEPT + 1 or None] if len(old) >= KEPT else ():
                path.unlink(missing_ok=True)
            self.path.touch()
        except OSError as error:
            self.fault = self.fault or f"{self.path} cannot be written ({error}): nobody can watch"
            return
        self.write("begin", pid=os.getpid(), host=platform.node(), claims=self._claims)

    def close(self) -> None:
        """End this process's part of it."""
        if self._handle is not None:
            self.write("end")
            with suppress(OSError):
                os.close(self._handle)
            self._handle = None


@dataclass
class State:
    """What a session's events tell: what trains, what is judged, and whether it goes on.

    Attributes:
        active: what each process trains, by its name.
        judged: each claim's verdict.
        claims: how many there are to judge.
        trained: how many runs came to an end.
        processes: the pid and host of each process that has not said that it ends.
        last: when something was last heard, in seconds since 1970.
    """

    session: str = ""
    active: dict[str, dict[str, Any]] = field(default_factory=dict)
    judged: dict[str, str] = field(default_factory=dict)
    claims: int = 0
    trained: int = 0
    processes: dict[str, tuple[int, str]] = field(default_factory=dict)
    begun: float = 0.0
    last: float = 0.0

    def take(self, event: Mapping[str, Any]) -> None:
        """Let an event happen; one that says nothing sound changes nothing."""
        with suppress(KeyError, TypeError, ValueError):
            at, worker, kind = float(event["time"]), str(event["worker"]), event["event"]
            if kind == "begin":
                self.processes[worker] = int(event["pid"]), str(event["host"])
                self.claims = max(self.claims, int(event["claims"]))
            elif kind == "progress" and event["done"]:
                self.trained += 1
                self.active.pop(worker, None)
            elif kind == "progress":
                shown = Progress(**{k: event[k] for k in Progress.__dataclass_fields__})
                shown.told()  # whatever has no number in its place is refused here
                self.active[worker] = {**asdict(shown), "claim": str(event["claim"]), "at": at}
            elif kind == "claim":
                self.judged[f"{event['id']} {event['case']}"] = str(event["verdict"])
            elif kind == "end":
                self.active.pop(worker, None)
                self.processes.pop(worker, None)
            self.begun, self.last = self.begun or at, max(self.last, at)

    @property
    def ended(self) -> bool:
        """Whether every process has said that it ends."""
        return bool(self.begun) and not self.processes

    def dead(self, now: float) -> bool:
        """Whether it ended without a word: its processes are gone, or silent for long elsewhere."""
        if self.ended or not self.begun:
            return False
        if any(host != platform.node() for _, host in self.processes.values()):
            return now - self.last > SILENCE_SECONDS
        return not any(_lives(pid) for pid, _ in self.processes.values())

    def plan(self, now: float) -> str:
        """How far the whole of it is, in one line."""
        whole = f"{len(self.judged)} of {self.claims} claims judged" if self.claims else ""
        parts = [whole, f"{self.trained} runs trained", f"{_duration(now - self.begun)} so far"]
        if self.dead(now):
            parts.append(
                f"no sign of life for {_duration(now - self.last)}: its processes are gone"
            )
        elif self.ended:
            parts.append("ended")
        return ", ".join(part for part in parts if part)

    def lines(self) -> list[str]:
        """What trains, a plain line each."""
        shown = []
        for _, of in sorted(self.active.items()):
            progress = Progress(**{k: of[k] for k in Progress.__dataclass_fields__})
            shown.append(clean(f"claim {of['claim']}: {progress.told()}"))
        return shown

    def table(self, now: float) -> "Table":
        """What trains and how far the whole is, for a terminal."""
        from rich.table import Table
        from rich.text import Text

        made = Table(
            box=None, padding=(0, 1), caption=clean(self.plan(now)), caption_justify="left"
        )
        for name, right in _COLUMNS.items():
            made.add_column(
                name, justify="right" if right else "left", no_wrap=True,
                ratio=1 if name == "what trains" else None, overflow="ellipsis",
            )  # fmt: skip
        made.expand = True
        for _, of in sorted(self.active.items()):
            cells = (
                of["claim"],
                f"{of['what']}{' +' + str(of['beside']) if of['beside'] else ''}",
                f"{of['step']}/{of['steps']}" if of["steps"] else str(of["step"]),
                ", ".join(f"{name} {value:.4g}" for name, value in of["numbers"].items()),
                f"{of['rate']:,.0f}" if of["rate"] else "",
                _duration(of["left"]) if of["left"] is not None else "",
            )
            made.add_row(*(Text(clean(str(cell))) for cell in cells))
        return made


_COLUMNS = {
    "claim": False,
    "what trains": False,
    "epoch": True,
    "so far": False,
    "images/s": True,
    "left": True,
}


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True


class Follower:
    """Reads a journal as it grows; torn and strange lines are passed over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read, self._rest = 0, b""

    def events(self) -> Iterator[dict[str, Any]]:
        """What has been added since last asked."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                content = file.read()
        except OSError:
            return
        self._read += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            with suppress(ValueError, RecursionError):
                if isinstance(event := json.loads(line), dict):
                    yield event

    def into(self, state: State) -> None:
        """Let all of it happen."""
        state.session = self.path.stem
        for event in self.events():
            state.take(event)


def journals(stores: Iterable[Path]) -> list[Path]:
    """The journals in these stores, the newest last."""
    found = [
        path
        for store in stores
        if (store / FOLDER).is_dir()
        for path in (store / FOLDER).iterdir()
        if _NAME.fullmatch(path.name)
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime)
