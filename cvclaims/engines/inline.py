"""Training in this process, sharing the work with other processes through the store."""

import functools
import hashlib
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import torch

import cvclaims
from cvclaims import locks
from cvclaims.data.dataset import Dataset
from cvclaims.data.folder import DataError, DataMissing
from cvclaims.data.load import load
from cvclaims.data.packed import cache_folder
from cvclaims.engines import NotEvaluated, RunFailed
from cvclaims.engines.device import shared
from cvclaims.engines.provenance import device_name, origin
from cvclaims.locks import LockError
from cvclaims.models import build_for, stacks
from cvclaims.plan import Run
from cvclaims.recipe import Recipe
from cvclaims.records import Record, Store, StoreError, UnwrittenError, run_key
from cvclaims.records.record import CURVES, by_class, rounded
from cvclaims.training.checkpoint import Checkpoint
from cvclaims.training.loop import Trained, stackable, train
from cvclaims.training.precision import precision_on

# A stack's parameters should stay in the processor's cache: beyond this it gets slower again. A
# GPU launches the same kernels for many networks as for one, until they fill it.
STACK_PARAMETERS = {"cpu": 1_500_000, "cuda": 50_000_000, "mps": 1_500_000}
WAIT_SECONDS = 0.05

# Called after every epoch with one line about what trains.
Report = Callable[[str], None]


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
        self.device = device
        self.data_folder = data_folder
        self.plan = list(plan)
        self._last_planned = max((run.seed for run in plan), default=-1)
        self._light = dict.fromkeys(replace(run, seed=0) for run in plan if run.recipe.light)
        self._crashed: dict[Run, RunFailed] = {}
        self.share = share
        self.session = session
        self.rerun = rerun
        self.claims = claims
        self.report = report
        self.trained: set[str] = set()
        self.read: set[str] = set()
        self.unwritten: list[Record] = []
        # What was trained here counts, whatever another session puts in its place meanwhile: two
        # reruns of one store would else train for each other for ever.
        self._own: dict[Run, Record] = {}

    def records(self, runs: Sequence[Run]) -> list[Record]:
        """The record of each run, from the store or trained now."""
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

    def data(self, run: Run) -> Dataset:
        """The data of a run; a stand-in only at smoke scale, where nothing is judged."""
        try:
            return load(run.recipe.data, self.data_folder, allow_stand_in=run.scale == "smoke")
        except DataMissing as error:
            raise NotEvaluated(str(error)) from None

    def _key(self, run: Run) -> str:
        return run_key(run.recipe, run.seed, self.data(run).fingerprint)

    def _stored(self, run: Run) -> Record | None:
        if run in self._own:
            return self._own[run]
        record = self.store.get(run.recipe, run.scale, self._key(run))
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
                    with one_thread(run.recipe):
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
        kind = stackable(run.recipe)
        # Of the same look, too: what others still train of an earlier one is not to be shared out.
        later = run.seed > self._last_planned
        pool = [r for r in pool if r != run and (r.seed > self._last_planned) == later]
        alike = [r for r in pool if r.scale == run.scale]
        alike = [r for r in alike if stackable(r.recipe) == kind and self._open(r)]
        fit = max(1, STACK_PARAMETERS[self.device.type] // _parameters(kind)) if stacks(kind) else 1
        most = min(fit, math.ceil((len(alike) + 1) / self.share)) - 1
        taken: list[Run] = []
        for other in alike:
            if len(taken) >= most:
                break
            if self._take(other, held):
                taken.append(other)
        return taken

    def _train(self, runs: Sequence[Run]) -> None:
        data = self.data(runs[0])
        pairs = [(run.recipe, run.seed) for run in runs]

        def progress(epoch: int, epochs: int, accuracy: list[float], rate: float) -> None:
            if self.report is not None:
                self.report(_progress_line(runs, epoch, epochs, accuracy, rate))

        kept = self._checkpoint(runs)
        with shared(self.device) as share:  # a timed claim takes the device alone
            failure: Exception | None = None
            try:
                results = train(pairs, data, self.device, progress, kept, share.give_way)
            except Exception as error:
                failure = error
        if failure is not None:
            if kept is not None and len(runs) > 1:
                kept.remove()
            self._crash(runs, data, failure)
            return
        begun = kept.elsewhere if kept is not None else ""
        records = [
            self._record(run, data, result, len(runs), begun=begun)
            for run, result in zip(runs, results, strict=True)
        ]
        # As a reader of their files will see them, so that both judge the same numbers.
        records = [Record.from_json(record.to_json()) for record in records]
        self._own.update(zip(runs, records, strict=True))
        self.trained.update(record.key for record in records)
        self._keep(records)
        if kept is not None:
            kept.remove()

    def _checkpoint(self, runs: Sequence[Run]) -> Checkpoint | None:
        """Where these runs, as one stack, are kept while they train; None without a cache."""
        folder = cache_folder()
        if folder is None:
            return None
        keys = " ".join(self._key(run) for run in runs)
        name = hashlib.sha256(keys.encode()).hexdigest()[:24]
        alike = {
            "runs": keys,
            "cvclaims": cvclaims.__version__,
            "torch": str(torch.__version__),
            "threads": str(torch.get_num_threads()),
            "device": self.device.type,
            "precision": precision_on(runs[0].recipe.precision, self.device),
            # What another session has begun is not trained again.
            "rerun": self.session if self.rerun else "",
        }
        place = folder / "checkpoints" / f"{name}.checkpoint"
        return Checkpoint(place, alike, {"device": device_name(self.device)}, locks.tell)

    def _crash(self, runs: Sequence[Run], data: Dataset, error: Exception) -> None:
        """One of these runs crashed: of several each is trained alone, to see which."""
        if len(runs) > 1:
            for run in runs:
                self._train([run])
            return
        (run,) = runs
        message = f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")
        self._crashed[run] = RunFailed(f"{describe(run)} crashed: {message}")
        self._crashed[run].__cause__ = error
        with suppress(StoreError):  # the crash itself is what has to be told
            self.store.put(self._record(run, data, _nothing(), 1, message))

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

    def close(self) -> None:
        """Try once more to write what could not be; UnwrittenError where it still cannot."""
        left, self.unwritten = self.unwritten, []
        self._keep(left)

    def _record(
        self,
        run: Run,
        data: Dataset,
        result: Trained,
        stacked: int,
        error: str = "",
        begun: str = "",
    ) -> Record:
        numbers = {
            "parameters": result.parameters,
            "images_per_second": result.images_per_second,
            **by_class(run.recipe, result.class_accuracy),
        }
        return Record(
            recipe=run.recipe,
            seed=run.seed,
            scale=run.scale,
            status="failed" if error else result.status,
            error=error,
            series=result.curves,
            numbers=numbers,
            probes=rounded(result.probes),
            origin=origin(
                data,
                self.device,
                stacked=stacked,
                precision=result.precision,
                session=self.session,
                claims=self.claims,
                begun=begun,
            ),
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


def describe(run: Run) -> str:
    """A run in a few words, for messages."""
    r = run.recipe
    return f"{r.model} on {r.data}, {r.optimizer} lr {r.lr:g}, {r.loss}, seed {run.seed}"


@contextmanager
def one_thread(recipe: Recipe) -> Iterator[None]:
    """One thread for small networks, whose operations are too short to be shared.

    A second one gains little and, where another process has that core, makes them wait for it:
    three times as long was seen. A number that was asked for in torch's own way stands.
    """
    before = torch.get_num_threads()
    if stacks(recipe) and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@functools.cache
def _parameters(recipe: Recipe) -> int:
    return sum(p.numel() for p in build_for(recipe, 0).parameters())


def _nothing() -> Trained:
    return Trained("failed", {name: [] for name in CURVES}, [], {}, 0, 0.0)


def _progress_line(
    runs: Sequence[Run], epoch: int, epochs: int, accuracy: list[float], rate: float
) -> str:
    more = f" (+{len(runs) - 1} beside it)" if len(runs) > 1 else ""
    seen = len(runs) * runs[0].recipe.cost / epochs
    left = (epochs - epoch) * seen / rate
    return (
        f"{describe(runs[0])}{more}: epoch {epoch}/{epochs}, accuracy "
        f"{max(accuracy):.3f}, {rate:,.0f} images/s, {left:.0f} s left"
    )
