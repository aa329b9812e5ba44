"""What the plugins share in one process: settings, store, cases, engine."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from cvclaims.plugins import settings as options
from cvclaims.plugins.settings import Settings

if TYPE_CHECKING:
    import torch

    from cvclaims.engines import Engine
    from cvclaims.plan import Run
    from cvclaims.plugins.cases import Case
    from cvclaims.plugins.live import Line, Watch
    from cvclaims.plugins.notes import Notes
    from cvclaims.records import Store


class Suite:
    """One process's view of the suite; everything in it is made when first asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.cases: dict[str, Case] = {}
        self.problems: dict[str, str] = {}
        self.line: Line | None = None
        self._watch: Watch | None = None
        self._worker: dict[str, object] = getattr(config, "workerinput", {})

    @cached_property
    def settings(self) -> Settings:
        """What the options say."""
        return options.read(self.config)

    @cached_property
    def store(self) -> Store:
        """The store of records."""
        return self.settings.open_store()

    @cached_property
    def session(self) -> str:
        """The session's id, the same in all its workers; of a rerun that was killed, that one's."""
        from cvclaims.records import new_session

        if "cvclaims_session" in self._worker:
            return str(self._worker["cvclaims_session"])
        return self.store.begin_rerun(new_session()) if self.settings.rerun else new_session()

    @cached_property
    def notes(self) -> Notes:
        """What workers leave for the process that reports."""
        from cvclaims.plugins.notes import Notes

        given = self._worker.get("cvclaims_notes")
        return Notes(Path(str(given))) if given else Notes.fresh()

    def tell_worker(self) -> dict[str, object]:
        """What a worker has to know of this session."""
        return {"cvclaims_session": self.session, "cvclaims_notes": str(self.notes.folder)}

    def take_problems(self) -> list[str]:
        """What the store could not trust since last asked."""
        if "store" not in self.__dict__:
            return []
        taken, self.store.problems = self.store.problems, []
        return taken

    def engine_for(self, case: Case) -> Engine:
        """The engine for a claim: one that refuses, where its runs cannot be had here."""
        if case.refusal is not None:
            from cvclaims.engines import Refusing

            return Refusing(case.refusal)
        from cvclaims.plugins.live import Told

        # Made on demand: a verdict on something counted needs no engine, and so no torch.
        return Told(lambda: self.engine, self.line, case.claim.id)

    @property
    def is_worker(self) -> bool:
        """Whether this process runs tests for another that reports them."""
        return bool(self._worker)

    @property
    def workers(self) -> int:
        """How many processes share the machine."""
        return int(str(self._worker.get("workercount", 1)))

    @property
    def worker(self) -> str:
        """This process's name among them."""
        return str(self._worker.get("workerid", "gw0"))

    def collect(self, items: list[pytest.Item]) -> None:
        """Take up the claims among the tests that will run; workers begin with the longest."""
        claims = [item for item in items if item.get_closest_marker("claim")]
        if options.is_plan(self.config):
            from cvclaims.plugins.plan import Planner

            self.config.pluginmanager.register(Planner(self), "cvclaims-planner")
        if not claims:
            return
        self.attend()
        from cvclaims.plugins.cases import cases_of

        try:
            self.cases, self.problems = cases_of(claims, self.settings, self.store)
        except pytest.UsageError as error:
            if not self.is_worker:
                raise
            # A worker cannot end the session with a line; only CVCLAIMS_DATA is not checked before.
            self.problems = {item.nodeid: str(error) for item in claims}
            return
        if self.is_worker:
            # A worker that dies in a test can no longer say which claim it had.
            headings = {nodeid: case.heading() for nodeid, case in self.cases.items()}
            self.notes.leave(f"cases-{self.worker}", headings)
            rank = {nodeid: number for number, nodeid in enumerate(self.order())}
            items.sort(key=lambda item: rank.get(item.nodeid, len(rank)))
        if not (self.settings.replay or self.settings.plan):
            self.line = self._line()

    def attend(self) -> None:
        """Let signals end this process in order, and let its waits be heard."""
        from cvclaims.plugins import process

        process.attend(self.config)

    def _line(self) -> Line | None:
        from cvclaims.plugins import live

        return live.Noted(self.notes, self.worker) if self.is_worker else live.line_for(self.config)

    def watch(self) -> None:
        """Show what the workers train, once one of them has taken up claims."""
        if not self.notes.folder.exists():
            return
        self.attend()
        if self._watch is not None or self.settings.replay:
            return
        from cvclaims.plugins import live

        line = live.line_for(self.config)
        if line is not None:
            self._watch = live.Watch(line, self.notes, self.config.get_terminal_writer())
            self._watch.start()

    def unwatch(self) -> None:
        """Leave the terminal to pytest."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def close(self) -> None:
        """Remove what the workers left."""
        if not self.is_worker and "notes" in self.__dict__:
            self.notes.remove()

    def order(self) -> list[str]:
        """The claims' node ids in the order in which they are taken up.

        Where all is done in minutes the longest come first, so that no worker is left with a long
        one at the end. Where a session may last for hours, and may be stopped before it ends,
        those come first that are decided by the least training; what one trains, the next ones
        share. Timed claims come last, when fewer trainings have to wait for them.
        """
        cases = list(self.cases.values())
        timed = [case for case in cases if case.is_timed]
        rest = [case for case in cases if not case.is_timed]
        if any(case.is_heavy for case in rest):
            from cvclaims.plugins.plan import cheapest_first

            rest = cheapest_first(rest, self.settings.seeds)
        else:
            rest.sort(key=lambda case: -case.cost)
        return [case.nodeid for case in (*rest, *timed)]

    def plan(self) -> list[Run]:
        """Every run that the selected claims need for their first look, in that order."""
        from cvclaims.plan import first_runs

        cases = [self.cases[nodeid] for nodeid in self.order()]
        able = [case for case in cases if case.refusal is None and not case.is_timed]
        return first_runs([(case.claim, case.scale) for case in able], self.settings.seeds)

    @cached_property
    def device(self) -> torch.device:
        """The device to train on; also gives torch its share of the processor."""
        import torch

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
        # More threads than cores cost a factor of ten, so workers divide the cores. A number that
        # was asked for in torch's own way stands.
        if "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(max(1, (cores or os.cpu_count() or 1) // self.workers))
        return _device(self.settings.device, self.worker)

    @cached_property
    def engine(self) -> Engine:
        """Where this session's records come from."""
        if self.settings.replay:
            from cvclaims.engines.replay import Replay

            return Replay(self.store)
        from cvclaims.engines.inline import Inline

        return Inline(
            self.store,
            self.device,
            self.settings.data,
            plan=self.plan(),
            share=self.workers,
            session=self.session,
            rerun=self.settings.rerun,
            claims=self.config.rootpath,
            report=self.line.tell if self.line is not None else None,
        )


def _device(wanted: str, worker: str) -> torch.device:
    """Worker i takes GPU i modulo the GPUs that CUDA_VISIBLE_DEVICES leaves."""
    import torch

    if wanted == "auto":
        wanted = "cuda" if options.gpu_present() else "cpu"
    if not wanted.startswith("cuda"):
        return torch.device(wanted)
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        _no_device(
            "torch cannot use a GPU here; install a torch for it, or train on the CPU with "
            "--claims-device cpu"
        )
    number = wanted.partition(":")[2] or int(worker.removeprefix("gw")) % count
    if int(number) >= count:
        _no_device(f"--claims-device: {wanted!r} is not among the {count} GPUs, which count from 0")
    return torch.device(f"cuda:{number}")


def _no_device(why: str) -> NoReturn:
    pytest.fail(why, pytrace=False)


SUITE = pytest.StashKey[Suite]()


def suite_of(config: pytest.Config) -> Suite:
    """The suite of a session, made when first asked for: plugins are configured in any order."""
    suite = config.stash.get(SUITE, None)
    if suite is None:
        suite = config.stash[SUITE] = Suite(config)
    return suite
