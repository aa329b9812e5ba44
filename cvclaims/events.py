"""What a session does while it does it: progress, its journal, and the state that a journal tells.

A session's processes append one line of JSON an event to one file, `.sessions/<session>.jsonl` in
its store. Whoever watches, in the session or from another terminal, reads that file: events go
in, `State` comes out, `cvclaims.watching` shows it. Whatever goes wrong here stops no run.
"""

import json
import math
import os
import platform
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

FOLDER = ".sessions"
# So many sessions' journals are kept; the oldest go when a new one is begun.
KEPT = 50
# A run's epochs are written down at most so often.
EVERY_SECONDS = 1.0
# Nobody can ask another machine for its processes: there a session may be dead after so long.
SILENCE_SECONDS = 600.0
# A pace tells nothing before so long.
PACE_SECONDS = 10.0
_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}\.jsonl", re.ASCII)


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        what: what is trained, in a few words.
        recipe, key: the beginnings of its recipe's digest and of the run's key.
        beside: how many other networks train in the same stack.
        step, steps: epochs so far and in all; of a training of one's own how often it logged, 0.
        numbers: the newest of each that is followed, by name.
        rate: training samples per second of all of them; 0 where unknown.
        left: seconds to the end; None where unknown.
        done: what became of it, once it is over.
    """

    what: str
    recipe: str
    seed: int
    key: str
    beside: int = 0
    step: int = 0
    steps: int = 0
    numbers: Mapping[str, float] = field(default_factory=dict)
    rate: float = 0.0
    left: float | None = None
    done: str = ""

    @property
    def run(self) -> str:
        """What tells the run from others of its session."""
        return f"{self.recipe}/{self.seed}"

    @property
    def event(self) -> str:
        """What the journal calls this."""
        return "run ended" if self.done else "epoch" if self.step else "run begun"


class Journal:
    """A session's file of events, as one of its processes writes it.

    It is begun when the session first trains something; what is written before is kept till then.
    """

    def __init__(self, store: Path, session: str, worker: str) -> None:
        self.path = store / FOLDER / f"{session}.jsonl"
        self.begun = False
        self._fault: str | None = None
        self._worker = worker
        self._handle: int | None = None
        self._waiting: list[bytes] = []
        self._last: dict[str, float] = {}

    def begin(self, **plan: float) -> None:
        """This process trains from now on; `plan` says what the whole session is to do."""
        self.begun = True
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            old = sorted(p for p in self.path.parent.iterdir() if _NAME.fullmatch(p.name))
            for path in old[: max(0, len(old) - KEPT + 1)] if self.path not in old else ():
                path.unlink(missing_ok=True)
            self.path.touch()
        except OSError as error:
            return self._fail(error)
        self.write("begin", pid=os.getpid(), host=platform.node(), **plan)

    def due(self, progress: Progress) -> bool:
        """Whether to write it down: each run at most once a second, its end always."""
        now = time.monotonic()
        if progress.event == "epoch" and now - self._last.get(progress.run, -1) < EVERY_SECONDS:
            return False
        self._last[progress.run] = now
        return True

    def progress(
        self, claim: str, arm: str, work: float, planned: bool, progress: Progress
    ) -> None:
        """Write down how far a run is, and whose; its work, and whether it is of the plan."""
        more = {"claim": claim, "arm": arm, "work": work, "planned": planned}
        self.write(progress.event, **more, **asdict(progress))

    def write(self, event: str, **facts: Any) -> None:
        """One event in one line and one call, so that no other process's comes in between."""
        form = {"time": round(time.time(), 2), "worker": self._worker, "event": event, **facts}
        if self._fault is not None:
            return
        self._waiting.append(f"{json.dumps(form)}\n".encode())
        try:
            if self._handle is None and not self.path.exists():
                return
            if self._handle is None:
                flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
                self._handle = os.open(self.path, flags)
            lines, self._waiting = self._waiting, []
            for line in lines:
                os.write(self._handle, line)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        why = f"{self.path} cannot be written ({error.strerror}): nobody can watch this session"
        self._fault = why if self._fault is None else self._fault

    def take_faults(self) -> list[str]:
        """Why nothing is written any more, the first time it is asked."""
        taken = [self._fault] if self._fault else []
        self._fault = "" if taken else self._fault
        return taken

    def close(self) -> None:
        """End this process's part of it."""
        if self._handle is not None:
            self.write("end")
            with suppress(OSError):
                os.close(self._handle)
            self._handle = None


@dataclass(frozen=True)
class Active:
    """A run that trains: whose it is, in which work, and how far."""

    claim: str
    arm: str
    work: float
    planned: bool
    progress: Progress

    @property
    def worked(self) -> float:
        """The work that is done."""
        of = self.progress
        return self.work * (1 + of.beside) * min(1.0, of.step / of.steps) if of.steps else 0.0


@dataclass
class State:
    """What a session's events tell: what trains, what is judged, and whether it goes on.

    Attributes:
        active: what each process trains, by its name.
        judged: each claim's verdict.
        claims, runs, work: how many claims there are to judge, how many runs their first look
            takes, and the work of these.
        held: the work of those of these runs that are here, trained or found.
        trained, failed: how many runs came to an end, and how many crashed.
        worked: the work of those that were trained.
        processes: the pid and host of each process that has not said that it ends.
        problems: what was told as one, each once.
        begun, last: when something was first and last heard, in seconds since 1970.
    """

    session: str = ""
    active: dict[str, Active] = field(default_factory=dict)
    judged: dict[str, str] = field(default_factory=dict)
    claims: int = 0
    runs: int = 0
    work: float = 0.0
    held: dict[str, float] = field(default_factory=dict)
    trained: int = 0
    failed: int = 0
    worked: float = 0.0
    processes: dict[str, tuple[int, str]] = field(default_factory=dict)
    problems: dict[str, None] = field(default_factory=dict)
    begun: float = 0.0
    last: float = 0.0

    def take(self, event: Mapping[str, Any]) -> None:
        """Let an event happen; one that says nothing sound changes nothing."""
        # Strangers may have written there: whatever is no number in a number's place ends here.
        with suppress(KeyError, TypeError, ValueError, OverflowError, AttributeError):
            at, worker = _number(event["time"]), str(event["worker"])
            self._take(worker, str(event["event"]), event)
            self.begun, self.last = self.begun or at, max(self.last, at)

    def _take(self, worker: str, kind: str, event: Mapping[str, Any]) -> None:
        if kind == "begin":
            claims, runs, work = (_number(event[name]) for name in ("claims", "runs", "work"))
            self.processes[worker] = int(_number(event["pid"])), str(event["host"])
            self.claims, self.runs = max(self.claims, int(claims)), max(self.runs, int(runs))
            self.work = max(self.work, work)
        elif kind in ("run begun", "epoch", "run ended"):
            self._go_on(worker, _active(event))
        elif kind == "held":
            self.held |= {str(run): _number(work) for run, work in event["runs"].items()}
        elif kind == "claim":
            self.judged[f"{event['id']} {event['case']}"] = str(event["verdict"])
        elif kind == "problem":
            self.problems[str(event["text"])] = None
        elif kind == "end":
            self.active.pop(worker, None)
            self.processes.pop(worker, None)

    def _go_on(self, worker: str, run: Active) -> None:
        if not run.progress.done:
            self.active[worker] = run
            return
        self.active.pop(worker, None)
        if run.progress.done == "failed":
            self.failed += 1
            return
        self.trained += 1
        self.worked += run.work
        if run.planned:
            self.held[run.progress.run] = run.work

    @property
    def ended(self) -> bool:
        """Whether every process has said that it ends."""
        return bool(self.begun) and not self.processes

    def dead(self, now: float) -> bool:
        """Whether it ended without a word: its processes are gone, or silent for long elsewhere."""
        if self.ended or not self.begun:
            return False
        return not any(
            lives(pid) if host == platform.node() else now - self.last < SILENCE_SECONDS
            for pid, host in self.processes.values()
        )

    def left(self) -> float | None:
        """Seconds that the rest takes at the pace so far; None where nobody can know."""
        going, spent = self.active.values(), self.last - self.begun
        done = self.worked + sum(run.worked for run in going)
        known = [run.progress.left for run in going if run.progress.left is not None]
        if spent < PACE_SECONDS or done <= 0 or not self.work:
            return None
        ahead = sum(run.worked for run in going if run.planned)
        rest = max(0.0, self.work - sum(self.held.values()) - ahead)
        return max(rest * spent / done, *known, 0.0)


def _active(event: Mapping[str, Any]) -> Active:
    """A run that an event tells of; raises what is not sound in it."""
    given = {of.name: event[of.name] for of in fields(Progress)}
    for name in ("step", "steps", "beside", "seed"):
        given[name] = int(_number(given[name]))
    for name in ("what", "recipe", "key", "done"):
        given[name] = str(given[name])
    given["rate"] = _number(given["rate"])
    given["left"] = None if given["left"] is None else _number(given["left"])
    given["numbers"] = {str(name): _number(n) for name, n in given["numbers"].items()}
    claim, arm, planned = str(event["claim"]), str(event["arm"]), event["planned"] is True
    return Active(claim, arm, _number(event["work"]), planned, Progress(**given))


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(value)
    return float(value)


def lives(pid: int) -> bool:
    """Whether this machine has a process of that number; True where it cannot be asked."""
    if os.name == "nt":  # to ask there by a signal would be to interrupt it
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is another user's
        return True
    return pid > 0


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
    """The journals in these stores, the newest last; raises OSError for what cannot be read."""
    found: list[tuple[float, Path]] = []
    for store in stores:
        if (folder := store / FOLDER).is_dir():
            for path in folder.iterdir():
                with suppress(FileNotFoundError):  # an old one that goes just now
                    found += [(path.stat().st_mtime, path)] if _NAME.fullmatch(path.name) else []
    return [path for _, path in sorted(found)]
