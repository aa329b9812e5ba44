"""The one place that trains: runs in, records out."""

import functools
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

import cvclaims
from cvclaims import locks
from cvclaims.data.dataset import Dataset
from cvclaims.data.load import load
from cvclaims.data.packed import cache_folder
from cvclaims.engines import DeviceLost
from cvclaims.engines.device import Share, broken, exclusive, shared
from cvclaims.engines.provenance import device_name, origin
from cvclaims.events import Progress
from cvclaims.models import build_for, stacks
from cvclaims.plan import Run
from cvclaims.recipe import CURVES, Recipe
from cvclaims.records import Record, run_key
from cvclaims.records.record import by_class, rounded
from cvclaims.trainable import Trainable, Training
from cvclaims.training import own
from cvclaims.training.checkpoint import Checkpoint
from cvclaims.training.loop import Pause, Trained, stackable, train
from cvclaims.training.precision import precision_on

# A stack's parameters should stay in the processor's cache: beyond this it gets slower again. A
# GPU launches the same kernels for many networks as for one, until they fill it.
STACK_PARAMETERS = {"cpu": 1_500_000, "cuda": 50_000_000, "mps": 1_500_000}

# Called after every epoch, and when a run is over.
Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Work:
    """Where and for whom runs are carried out; the same for all of a process.

    Attributes:
        session: the session's id, which records carry.
        rerun: whether what another session has begun is begun anew.
        claims: a folder of the repository that the claims lie in; records name its commit.
    """

    device: torch.device
    data_folder: Path | None
    session: str = ""
    rerun: bool = False
    claims: Path | None = None
    report: Report | None = None

    def data(self, run: Run) -> Dataset | None:
        """The data of a run, if it names any; a stand-in only at smoke scale, which judges nothing.

        Raises DataMissing, DataError.
        """
        spec = run.trained.dataset if isinstance(run.trained, Recipe | Training) else None
        if spec is None:
            return None
        return load(spec, self.data_folder, allow_stand_in=run.scale == "smoke")

    def key(self, run: Run) -> str:
        """What a run is stored under."""
        data = self.data(run)
        return run_key(run.trained, run.seed, data.fingerprint if data is not None else "")

    def carry_out(self, runs: Sequence[Run]) -> list[Record]:
        """Train these runs, in one stack where there are several; their records, in order.

        It shares the device with whoever trains there, goes on from what a killed process left, and
        keeps what it has until `done` is called. Raises whatever training raises, and DeviceLost
        where the device broke with it.
        """
        with one_thread(runs[0].trained):
            try:
                # A timed claim takes the device alone.
                with shared(self.device) as share:
                    if isinstance(training := runs[0].trained, Training):
                        (run,) = runs
                        return [self._own(run, training, share)]
                    with suppress(torch.OutOfMemoryError):
                        return self._train(runs, share.give_way, alone=False)
                # Once more where nobody else has memory: they may have had what was missing.
                with exclusive(self.device):
                    return self._train(runs, lambda: 0.0, alone=True)
            except Exception as error:
                self._ended(runs, ["failed"] * len(runs))
                if why := broken(self.device):
                    what = f"{self.device} no longer works for this process ({why})"
                    raise DeviceLost(f"{what}; it broke in {describe(runs[0])}") from error
                raise

    def done(self, runs: Sequence[Run]) -> None:
        """Their records are written, or will not be: what was kept to go on from is removed."""
        if isinstance(runs[0].trained, Training):
            if (folder := self._folder(runs[0])) is not None:
                shutil.rmtree(folder, ignore_errors=True)
        elif (kept := self._checkpoint(runs)) is not None:
            kept.remove()

    def failed(self, run: Run, why: str) -> Record:
        """The record of a run that crashed."""
        return self._record(run, self.data(run), _nothing(run), 1, error=why)

    def _train(self, runs: Sequence[Run], pause: Pause, *, alone: bool) -> list[Record]:
        data, kept = self.data(runs[0]), self._checkpoint(runs)
        assert data is not None
        pairs, recipe = [(run.recipe, run.seed) for run in runs], runs[0].recipe
        begun = replace(self._progress(runs[0]), beside=len(runs) - 1, steps=recipe.epochs)
        classes, seen = recipe.class_names, len(runs) * recipe.cost / recipe.epochs

        def progress(epoch: int, epochs: int, accuracy: list[float], rate: float) -> None:
            numbers = {"accuracy": max(accuracy)} if classes else {}
            left = (epochs - epoch) * seen / rate
            self._tell(replace(begun, step=epoch, numbers=numbers, rate=rate, left=left))

        self._tell(begun)
        results = train(pairs, data, self.device, progress, kept, pause, alone=alone)
        elsewhere = kept.elsewhere if kept is not None else ""
        self._ended(runs, [result.status for result in results])
        return [
            self._record(run, data, result, len(runs), begun=elsewhere)
            for run, result in zip(runs, results, strict=True)
        ]

    def _own(self, run: Run, training: Training, share: Share) -> Record:
        """Carry out a training of an author's own; where it logs it lets a timed claim pass."""
        data, kept, progress = self.data(run), self._folder(run), self._progress(run)
        begun = time.perf_counter()

        def tell(step: int, numbers: Mapping[str, float]) -> None:
            nonlocal begun
            begun += share.give_way()
            self._tell(replace(progress, step=step, numbers=numbers))

        self._tell(progress)
        with _made(kept) as folder:
            args = training, run.seed, run.scale, self.device, folder, data, tell
            status, series, numbers = own.carry_out(*args)
        numbers.setdefault("seconds", time.perf_counter() - begun)
        trained = Trained(status, series, [], {}, numbers, "as it computes")
        self._ended([run], [status])
        return self._record(run, data, trained, 1)

    def _progress(self, run: Run) -> Progress:
        """That a run begins."""
        what, recipe = run.trained.describe(), run.trained.digest[:12]
        return Progress(what, recipe, run.seed, self.key(run)[:12])

    def _tell(self, progress: Progress) -> None:
        if self.report is not None:
            self.report(progress)

    def _ended(self, runs: Sequence[Run], statuses: Sequence[str]) -> None:
        for run, status in zip(runs, statuses, strict=True):
            self._tell(replace(self._progress(run), done=status))

    def _folder(self, run: Run) -> Path | None:
        """Where a training of an author's own keeps what it goes on from; None without a cache."""
        cache = cache_folder()
        if cache is None:
            return None
        kept = hashlib.sha256(f"{self.key(run)} {self._begun_by}".encode()).hexdigest()[:24]
        return cache / "checkpoints" / f"{kept}.own"

    @property
    def _begun_by(self) -> str:
        """What another session has begun is not gone on with in a rerun."""
        return self.session if self.rerun else ""

    def _checkpoint(self, runs: Sequence[Run]) -> Checkpoint | None:
        """Where these runs, as one stack, are kept while they train; None without a cache."""
        folder = cache_folder()
        if folder is None:
            return None
        keys = " ".join(self.key(run) for run in runs)
        name = hashlib.sha256(keys.encode()).hexdigest()[:24]
        alike = {
            "runs": keys,
            "cvclaims": cvclaims.__version__,
            "torch": str(torch.__version__),
            "threads": str(torch.get_num_threads()),
            "device": self.device.type,
            "precision": precision_on(runs[0].recipe.precision, self.device),
            "rerun": self._begun_by,
        }
        place = folder / "checkpoints" / f"{name}.checkpoint"
        return Checkpoint(place, alike, {"device": device_name(self.device)}, locks.tell)

    def _record(
        self,
        run: Run,
        data: Dataset | None,
        result: Trained,
        stacked: int,
        error: str = "",
        begun: str = "",
    ) -> Record:
        by_name = {}
        if isinstance(run.trained, Recipe):
            by_name = by_class(run.trained, result.class_accuracy)
        record = Record(
            trained=run.trained,
            seed=run.seed,
            scale=run.scale,
            status="failed" if error else result.status,
            error=error,
            series=result.curves,
            numbers={**result.numbers, **by_name},
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
        # As a reader of its file will see it, so that both judge the same numbers.
        return record.read_back()


def most_beside(run: Run, device: torch.device) -> int:
    """How many runs of this kind fit into one stack with good gain; 1 where they do not stack."""
    if not isinstance(run.trained, Recipe):
        return 1
    kind = stackable(run.trained)
    return max(1, STACK_PARAMETERS[device.type] // _parameters(kind)) if stacks(kind) else 1


def kind_of(run: Run) -> object:
    """Runs of one kind and scale can train in one stack; None: in none."""
    if isinstance(run.trained, Recipe) and stacks(run.trained):
        return stackable(run.trained), run.scale
    return None


def describe(run: Run) -> str:
    """A run in a few words, for messages."""
    return f"{run.trained.describe()}, seed {run.seed}"


@contextmanager
def one_thread(trained: Trainable) -> Iterator[None]:
    """One thread for small networks, whose operations are too short to be shared.

    A second one gains little and, where another process has that core, makes them wait for it:
    three times as long was seen. A number that was asked for in torch's own way stands.
    """
    before = torch.get_num_threads()
    small = trained.light or (isinstance(trained, Recipe) and stacks(trained))
    if small and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _made(folder: Path | None) -> Iterator[Path]:
    """The folder, made; without one, one for the time being."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="cvclaims-") as made:
            yield Path(made)
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        with suppress(OSError):  # what it keeps to go on from stays
            folder.rmdir()


@functools.cache
def _parameters(recipe: Recipe) -> int:
    return sum(p.numel() for p in build_for(recipe, 0).parameters())


def _nothing(run: Run) -> Trained:
    curves: dict[str, list[float]] = {}
    numbers: dict[str, float] = {}
    if isinstance(run.trained, Recipe):
        curves = {name: [] for name in CURVES}
        numbers = {"parameters": 0, "images_per_second": 0.0}
    return Trained("failed", curves, [], {}, numbers)
