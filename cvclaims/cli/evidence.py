"""`cvclaims evidence`: train the queue of long runs, from a checkout of its own.

As many processes as there are cores work through the queue side by side, one thread each, nice:
each asks for every claim's runs, trains what nobody holds and reads the rest. All of it is pytest's
and the engine's work; here is only what starts, stops and renews.
"""

import argparse
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvclaims.cli.output import OutputError, refuse, show, write_json
from cvclaims.files import write_atomically
from cvclaims.queue import QueueError, Step, read_queue
from cvclaims.results.claims_json import CLAIMS, read_claims
from cvclaims.results.output import ResultsError
from cvclaims.results.view import ClaimView

if TYPE_CHECKING:
    from cvclaims.locks import Lock

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

QUEUE = Path("claims") / "evidence.toml"
# In the working tree, where git ignores it: the checkout, its store and what its sessions print.
HOME = Path(".cvclaims") / "evidence"
FIRST_LOOK = 3
NICENESS = 19
# pytest's statuses of a session that judged, whatever came out: passed, failed, only refuted.
JUDGED = (0, 1, 10)
_EXIT = """\
exit status:
  0  the queue is done, or as far as this machine can
  1  a claim of it could not be trained; the log says why
  2  the queue or the repository cannot be used; one line says why
"""


class EvidenceError(RuntimeError):
    """What stands in the way; the message is one line."""


def add_to(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "evidence",
        help="train the queue of long runs",
        description="Train what the queue lists and the store lacks, first looks first: side by "
        "side, nice, from a checkout of the present commit, so that edits reach no training. It "
        "may be killed at any moment and goes on where it was. Records lie in "
        f"{HOME / 'records'} until --renew, or the end, takes them into the results.",
        epilog=_EXIT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--queue", type=Path, default=QUEUE, help=f"the queue (default: {QUEUE})")
    parser.add_argument("--steps", default="", help="only these, such as 2,3")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="runs side by side (all cores)"
    )
    parser.add_argument(
        "--nice", type=int, default=NICENESS, help=f"how nice they are (default: {NICENESS})"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--status", action="store_true", help="say what is done, left and next")
    parser.add_argument("--json", action="store_true", help="with --status: for programs")
    what.add_argument(
        "--renew", action="store_true", help="take finished records into the results, and judge"
    )
    parser.set_defaults(carry_out=carry_out)


def carry_out(options: argparse.Namespace) -> int:
    """Carry out the command; returns the exit status."""
    from cvclaims.locks import LockError

    try:
        steps = _chosen(read_queue(options.queue), options.steps)
        if options.workers < 1:
            raise EvidenceError(f"--workers: {options.workers} is no number of 1 or more")
        if not 0 <= options.nice <= NICENESS:
            raise EvidenceError(f"--nice: {options.nice} is no number from 0 to {NICENESS}")
        work = Work(Path.cwd(), options.workers, options.nice)
        if options.renew:
            work.renew()
            return 0
        work.check(steps, options.queue)
        if options.status:
            found = list(work.status(steps))
            write_json(found) if options.json else show(_status_lines(found))
            return 0
        return work.train(steps)
    except (QueueError, EvidenceError, LockError, ResultsError, OutputError) as error:
        return refuse("evidence", error)
    except KeyboardInterrupt:
        show(["stopped; the same command goes on where it was"])
        return 130


def _chosen(steps: Sequence[Step], given: str) -> list[Step]:
    if not given:
        return list(steps)
    numbers = [part.strip() for part in given.split(",")]
    by_number = {str(step.number): step for step in steps}
    for number in numbers:
        if number not in by_number:
            raise QueueError(f"--steps: {number!r} is no step from 1 to {len(steps)}")
    return [by_number[number] for number in numbers]


def _status_lines(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    following = True
    for of in found:
        planned = f"{of['scale']}, planned {of['planned hours']:g} h"
        head = f"step {of['step']}, {of['what']} ({planned})"
        if not of["left"]:
            yield f"{head}: done, or judged at full scale"
        elif of["timed"]:
            yield f"{head}: {', '.join(of['left'])} to be timed"
        else:
            yield f"{head}: {of['plan']}"
            if following and "0 left" not in of["plan"]:
                following = False
                yield "  this comes next"


class Work:
    """The queue's work in one repository.

    Args:
        root: the working tree.
        workers: how many processes train side by side.
        nice: how nice they are.
    """

    def __init__(self, root: Path, workers: int, nice: int = NICENESS) -> None:
        self.root, self.workers, self.nice = root, workers, nice
        self.home = root / HOME
        self.checkout, self.store = self.home / "checkout", self.home / "records"
        self.results = root / "results"

    def check(self, steps: Iterable[Step], queue: Path) -> None:
        """Make the checkout ready; refuse claims that it does not know."""
        self._renew_checkout()
        for step in steps:
            done = self._pytest(step, "--collect-only", "-q", capture=True, at=self.checkout)
            if done.returncode not in (0, 5):
                said = (done.stderr + done.stdout).strip().splitlines()
                told = (
                    [line for line in said if "ERROR" in line] or said[-1:] or ["it says nothing"]
                )
                why = told[0].removeprefix("ERROR: ").removeprefix("--claims-id: ")
                raise QueueError(f"{queue}: step {step.number}: {why}")

    def status(self, steps: Sequence[Step]) -> Iterator[dict[str, Any]]:
        """What is left of each step, and how long it would take."""
        for step in steps:
            left, plan = self._left(step), ""
            if left and not step.timed:
                done = self._pytest(step, "--claims-plan", "-qq", capture=True, ids=left)
                lines = [line for line in done.stdout.splitlines() if line.startswith("first look")]
                plan = lines[0] if lines else "no plan"
            yield {
                "step": step.number,
                "what": step.what,
                "scale": step.scale,
                "planned hours": step.hours,
                "timed": step.timed,
                "left": left,
                "plan": plan,
            }

    def train(self, steps: Sequence[Step]) -> int:
        """Train the queue: all first looks, then what these left open; returns an exit status."""
        lock = self._lock()
        if not lock.acquire(blocking=False):
            raise EvidenceError(f"{lock.holder()} trains this queue already (lock {lock.path})")
        failed = False
        with_others = [step for step in steps if not step.timed]
        try:
            self._seed_store()
            for rounds, seeds in (("first looks", FIRST_LOOK), ("further looks", None)):
                for step in [s for s in steps if s.timed and seeds] + with_others:
                    ids = self._left(step)
                    # A session that is ended writes no table, and times are nowhere else.
                    for part in filter(None, [[id] for id in ids] if step.timed else [ids]):
                        failed |= self._carry_out(step, part, seeds, rounds)
            self.renew()
        finally:
            lock.release()
        return int(failed)

    def renew(self) -> None:
        """Take finished records into the results, and judge every claim from the records."""
        taken = self._copy(self.store, self.results / "records")
        show([f"{taken} new records in {self.results / 'records'}"])
        command = [sys.executable, "-m", "pytest", "claims", "--claims-replay", "-q"]
        done = subprocess.run(command, cwd=self.root, env=_environment(self.root), check=False)
        if done.returncode not in JUDGED:
            raise EvidenceError(
                f"the results were not renewed: pytest ended with {done.returncode}"
            )

    def _left(self, step: Step) -> list[str]:
        """The step's claims but for those whose every row is judged in full, and not left open."""
        # A row that was timed and one that was trained are done by steps of their own.
        rows = {
            id: [row for row in found if bool(row.timed_on) == step.timed]
            for id, found in self._rows().items()
        }
        done = _settled if step.scale == "full" and not step.timed else _in_full
        return [id for id in step.ids if "*" in id or not done(rows.get(id, ()))]

    def _rows(self) -> dict[str, list[ClaimView]]:
        found: dict[str, list[ClaimView]] = {}
        path = self.results / CLAIMS
        if path.exists():
            for row in read_claims(path)[0]:
                found.setdefault(row.id, []).append(row)
        return found

    def _carry_out(self, step: Step, ids: Sequence[str], seeds: int | None, rounds: str) -> bool:
        """Let the workers train a step; whether one of them could not."""
        begun = time.monotonic()
        show([f"step {step.number}, {step.what}, {step.scale}: {rounds} of {', '.join(ids)}"])
        options = ["-q", "-p", "no:cacheprovider"]
        # What is timed has no second round: it takes all looks at once.
        options += [f"--claims-seeds={seeds}"] if seeds and not step.timed else []
        count = 1 if step.timed else self.workers
        started = [self._start(step, options, ids, worker) for worker in range(count)]
        try:
            statuses = [process.wait() for process in started]
        except BaseException:
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                process.wait()
            raise
        hours = (time.monotonic() - begun) / 3600
        show([f"  after {hours:.2f} h (planned {step.hours:g}); log: {self.home / 'log'}"])
        return any(status not in JUDGED for status in statuses)

    def _start(
        self, step: Step, options: Sequence[str], ids: Sequence[str], worker: int
    ) -> "subprocess.Popen[bytes]":
        """A worker: every second one goes through the claims from the end."""
        ordered = list(reversed(ids)) if worker % 2 else list(ids)
        # Times rest on no records that a replay could judge: their rows go where they belong.
        results = self.results if step.timed else self.home / f"results-{worker}"
        command = self._command(step, ordered, [*options, f"--claims-results={results}"])
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.checkout,
                env=_environment(self.checkout),
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=partial(_background, self.nice) if os.name == "posix" else None,
            )

    def _pytest(
        self,
        step: Step,
        *options: str,
        capture: bool = False,
        ids: Sequence[str] = (),
        at: Path | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        command = self._command(step, ids or step.ids, list(options))
        where = at or self.checkout
        return subprocess.run(
            command,
            cwd=where,
            env=_environment(where),
            capture_output=capture,
            text=True,
            check=False,
        )

    def _command(self, step: Step, ids: Sequence[str], options: Sequence[str]) -> list[str]:
        from cvclaims.plugins.gpu import gpu_present

        device = "auto" if gpu_present() else "cpu"
        return [
            *(sys.executable, "-m", "pytest", "claims", f"--claims-id={','.join(ids)}"),
            *(f"--claims-scale={step.scale}", f"--claims-device={device}"),
            # A claim may be timed and trained; a step does what it is for.
            *("-m", "timing" if step.timed else "not timing"),
            *(f"--claims-store={self.store}", *options),
        ]

    def _renew_checkout(self) -> None:
        """A git worktree of the present commit; one that is there is brought to it."""
        commit = self._git(self.root, "rev-parse", "HEAD")
        if not (self.checkout / ".git").exists():
            shutil.rmtree(self.checkout, ignore_errors=True)
            self.checkout.parent.mkdir(parents=True, exist_ok=True)
            self._git(self.root, "worktree", "prune")
            self._git(self.root, "worktree", "add", "--detach", str(self.checkout), commit)
        elif self._git(self.checkout, "rev-parse", "HEAD") != commit and not self._busy():
            self._git(self.checkout, "checkout", "--detach", "--force", commit)
        if self._git(self.root, "status", "--porcelain", "--untracked-files=no"):
            show([f"the working tree has changes; trained is commit {commit[:12]}"])

    def _busy(self) -> bool:
        lock = self._lock()
        if lock.acquire(blocking=False):
            lock.release()
            return False
        return True

    def _lock(self) -> "Lock":
        from cvclaims.locks import Lock

        return Lock(self.home / "lock", "the queue of long runs")

    def _git(self, where: Path, *arguments: str) -> str:
        try:
            done = subprocess.run(
                ["git", *arguments], cwd=where, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise EvidenceError(f"git cannot be run ({error.strerror})") from None
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it says nothing"])[0]
            raise EvidenceError(f"git {arguments[0]} failed in {where}: {said}")
        return done.stdout.strip()

    def _seed_store(self) -> None:
        """What the results hold need not be trained again."""
        self._copy(self.results / "records", self.store)

    def _copy(self, source: Path, target: Path) -> int:
        count = 0
        for path in sorted(source.rglob("*.json")) if source.exists() else ():
            there = target / path.relative_to(source)
            if path.parts[-3] != "smoke" and not there.exists():
                write_atomically(there, path.read_bytes(), durable=False)
                count += 1
        return count


def _in_full(rows: Sequence[ClaimView]) -> bool:
    """Whether full scale has judged all of a claim's rows, or shown them as far as it may."""
    return bool(rows) and all(
        row.scale == "full" and row.verdict in ("supported", "refuted", "inconclusive", "ran")
        for row in rows
    )


def _settled(rows: Sequence[ClaimView]) -> bool:
    """Whether further seeds would change nothing: no row is open that could be decided."""
    return _in_full(rows) and all(row.verdict != "inconclusive" or row.guards for row in rows)


def _environment(checkout: Path) -> dict[str, str]:
    """One thread a process, and this checkout's package before any that is installed."""
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(checkout)}


def _background(nice: int) -> None:
    """In a worker, before it starts: nice, and told to end when whoever started it dies."""
    os.nice(nice)
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        libc: Any = ctypes.CDLL(None)
        libc.prctl(pr_set_pdeathsig, signal.SIGTERM)
