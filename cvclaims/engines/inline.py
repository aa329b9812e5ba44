"""Training in this process, sharing the work with other processes through the store."""

import math
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from cvclaims import locks
from cvclaims.data.folder import DataError, DataMissing
from cvclaims.engines import DeviceLost, NotEvaluated, RunFailed, Session
from cvclaims.engines.logged import with_logged
from cvclaims.engines.times import take
from cvclaims.engines.work import Report, Work, describe, kind_of, most_beside
from cvclaims.locks import LockError
from cvclaims.plan import Run
from cvclaims.records import Record, Store, StoreError, UnwrittenError
from cvclaims.training.timing import Times

WAIT_SECONDS = 0.05


class Inline:
    """An engine that trains here what the store does not hold.

    Attributes:
        plan: every run that the session is known to need. Runs of it train in one stack with a
            wanted run where they fit, and it is what this process works on while other
            processes train what it waits for. Where seeds beyond the plan are asked for, a later
            look, light recipes of it train those seeds in the same stack: in company a network
            takes a fraction of what it takes alone, and most claims go on to that look.
        share: among how many processes a stack's runs should be shared out.
        session: the session's id, which its records carry.
        rerun: whether records of other sessions do not count.
        claims: a folder of the repository that the claims lie in; records name its commit.
        trained: the keys of the runs that were trained here.
        read: the keys of the runs that were found in the store.
        unwritten: records of finished runs that could not be written.
    """

    def __init__(
        self,
        store: Store,
        device: torch.device,
        data_folder: Path | None,
        *,
        plan: Sequence[Run] = (),
        share: int = 1,
        session: str = "",
        rerun: bool = False,
        claims: Path | None = None,
        report: Report | None = None,
    ) -> None:
        self.store = store
        self.work = Work(device, data_folder, session, rerun, claims, report)
        self.plan = list(plan)
        self._last_planned = max((run.seed for run in plan), default=-1)
        self._light = dict.fromkeys(replace(run, seed=0) for run in plan if run.trained.light)
        self._crashed: dict[Run, RunFailed] = {}
        self.share = share
        self.session = session
        self.rerun = rerun
        self.trained: set[str] = set()
        self.read: set[str] = set()
        self.unwritten: list[Record] = []
        # What was trained here counts, whatever another session puts in its place meanwhile: two
        # reruns of one store would else train for each other for ever.
        self._own: dict[Run, Record] = {}

    def records(self, runs: Sequence[Run]) -> list[Record]:
        """The record of each run, from the store or trained now; of logged runs their file's."""
        return with_logged(runs, self._records)

    def _records(self, runs: Sequence[Run]) -> list[Record]:
        found: dict[Run, Record] = {}  # what is here is not read again while waiting for the rest
        waiting = Waiting()
        while True:
            for run in dict.fromkeys(runs):
                if run not in found and (record := self._stored(run)) is not None:
                    found[run] = record
            missing = [run for run in dict.fromkeys(runs) if run not in found]
            for run in missing:
                self._refuse(run)
            if not missing:
                self.read.update({record.key for record in found.values()} - self.trained)
                return [found[run] for run in runs]
            if self._train_some(missing) or self._train_planned(missing):
                waiting = Waiting()
            else:  # others train all that is left to do
                waiting.go_on(describe(missing[0]), self.store.lock(self._key(missing[0])))

    def _key(self, run: Run) -> str:
        try:
            return self.work.key(run)
        except DataMissing as error:
            raise NotEvaluated(str(error)) from None

    def _stored(self, run: Run) -> Record | None:
        if run in self._own:
            return self._own[run]
        record = self.store.get(run.trained, run.scale, self._key(run))
        if record is None or record.status == "failed":
            return None
        return None if self.rerun and record.origin.session != self.session else record

    def _train_planned(self, waiting_for: Sequence[Run]) -> bool:
        """Train some of the plan or of others' later looks; whether there was anything to do."""
        self.plan = [run for run in self.plan if self._open(run)]
        ahead = [run for run in self._ahead(waiting_for) if self._open(run)]
        return self._train_some(list(dict.fromkeys([*self.plan, *ahead])))

    def _refuse(self, run: Run) -> None:
        """Raise for a run that crashed: to train it for each claim that asks would be in vain."""
        if (failure := self._crashed.get(run)) is not None:
            # Told in full once: its traceback holds what it was training.
            self._crashed[run] = RunFailed(str(failure))
            raise failure

    def _open(self, run: Run) -> bool:
        """Whether a planned run is still to be trained, and can be; one that crashed is not."""
        try:
            return run not in self._crashed and self._stored(run) is None
        except (NotEvaluated, DataError, StoreError, LockError):
            return False  # whoever asks for it will be told why

    def _train_some(self, candidates: Sequence[Run]) -> bool:
        """Train the first candidate that no other process holds, with all that stack with it."""
        with ExitStack() as held:
            for run in candidates:
                if self._take(run, held):
                    pool = dict.fromkeys([*candidates, *self.plan, *self._ahead(candidates)])
                    # One process at a time: neighbours of the pool then share a stack, and equal
                    # optimiser settings among them a step.
                    with self.store.lock("choosing", "the choice of runs"):
                        companions = self._companions(run, pool, held)
                    self._train([run, *companions])
                    return True
        return False

    def _ahead(self, wanted: Sequence[Run]) -> list[Run]:
        """Light recipes of the plan, with the seeds that a later look wants of others."""
        seeds = sorted({run.seed for run in wanted if run.seed > self._last_planned})
        return [replace(run, seed=seed) for run in self._light for seed in seeds]

    def _take(self, run: Run, held: ExitStack) -> bool:
        """Lock a run that is still to be trained."""
        lock = self.store.lock(self._key(run), describe(run))
        if not lock.acquire(blocking=False):
            return False
        with ExitStack() as mine:
            mine.callback(lock.release)
            if self._stored(run) is not None:  # finished by another while we looked elsewhere
                return False
            held.push(mine.pop_all())
        return True

    def _companions(self, run: Run, pool: Iterable[Run], held: ExitStack) -> list[Run]:
        """Runs of the pool that can train in one stack with `run`, locked; our share of them."""
        if (kind := kind_of(run)) is None:
            return []
        # Of the same look, too: what others still train of an earlier one is not to be shared out.
        later = run.seed > self._last_planned
        pool = [r for r in pool if r != run and (r.seed > self._last_planned) == later]
        alike = [r for r in pool if kind_of(r) == kind and self._open(r)]
        fit = most_beside(run, self.work.device)
        most = min(fit, math.ceil((len(alike) + 1) / self.share)) - 1
        taken: list[Run] = []
        for other in alike:
            if len(taken) >= most:
                break
            if self._take(other, held):
                taken.append(other)
        return taken

    def _train(self, runs: Sequence[Run]) -> None:
        failure: Exception | None = None
        try:
            records = self.work.carry_out(runs)
            for run, record in zip(runs, records, strict=True):
                self._check_names(run, record)
        except (LockError, DeviceLost):  # nothing was trained, or can be
            raise
        except Exception as error:
            failure = error
        if failure is not None:
            if len(runs) > 1:
                self.work.done(runs)
            self._crash(runs, failure)
            return
        self._own.update(zip(runs, records, strict=True))
        self.trained.update(record.key for record in records)
        self._keep(records)
        self.work.done(runs)

    def _check_names(self, run: Run, record: Record) -> None:
        """Refuse a training of one's own that gives other names than with another seed."""
        others = (
            o for r, o in self._own.items() if r.trained == run.trained and r.scale == run.scale
        )
        for other in others:
            mine, its = ({*r.series, *r.numbers} for r in (record, other))
            if odd := sorted(mine ^ its):
                has, lacks = (run.seed, other.seed) if odd[0] in mine else (other.seed, run.seed)
                if "finished" == record.status == other.status:
                    raise ValueError(
                        f"it gives {odd[0]} with seed {has} and not with seed {lacks}: every run "
                        "gives the same names"
                    )

    def _crash(self, runs: Sequence[Run], error: Exception) -> None:
        """One of these runs crashed: of several each is trained alone, to see which."""
        if len(runs) > 1:
            for run in runs:
                self._train([run])
            return
        (run,) = runs
        message = f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")
        self._crashed[run] = RunFailed(f"{describe(run)} crashed: {message}")
        self._crashed[run].__cause__ = error
        with suppress(StoreError, DataError):  # the crash itself is what has to be told
            self.store.put(self.work.failed(run, message))

    def _keep(self, records: Sequence[Record]) -> None:
        """Write what can be written; what cannot is kept in memory, and ends the session."""
        why: UnwrittenError | None = None
        for record in records:
            try:
                self.store.put(record)
            except UnwrittenError as error:
                why = why or error
                self.unwritten.append(record)
        if why is not None:
            raise why

    def times(self, first: Any, second: Any, seed: int, scale: str) -> Times:
        """Times of two recipes, or of two functions, taken here."""
        try:
            return take(self.work, first, second, seed, scale)
        except DataMissing as why:
            raise NotEvaluated(str(why)) from None

    def close(self) -> None:
        """Try once more to write what could not be; UnwrittenError where it still cannot."""
        left, self.unwritten = self.unwritten, []
        self._keep(left)


def start(session: Session) -> Inline:
    """The engine of a session."""
    return Inline(
        session.store,
        session.device(),
        session.data_folder,
        plan=session.plan,
        share=session.share,
        session=session.session,
        rerun=session.rerun,
        claims=session.claims,
        report=session.report,
    )


class Waiting:
    """A wait for runs that other processes train, which says after a while for whom it is."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._told = False

    def go_on(self, what: str, lock: locks.Lock) -> None:
        """Wait a moment more."""
        waited = time.monotonic() - self._since
        if waited > locks.TELL_SECONDS and not self._told:
            self._told = True
            locks.tell(
                f"for {waited:.0f} s waiting for {what}, which {lock.holder()} trains "
                f"(lock file {lock.path}): end that process, or wait"
            )
        time.sleep(WAIT_SECONDS)
