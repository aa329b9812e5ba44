"""What the plugins share in one process: settings, store, cases, engine."""

from __future__ import annotations

import os
import platform
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cvclaims.plugins import settings as options
from cvclaims.plugins.settings import Settings

if TYPE_CHECKING:
    import torch

    from cvclaims.engines import Engine, Refusing
    from cvclaims.plan import Run
    from cvclaims.plugins.cases import Case
    from cvclaims.plugins.live import Known, Live, Told, Watch
    from cvclaims.plugins.notes import Notes
    from cvclaims.records import Rerun, Store
    from cvclaims.results.view import ClaimView


class Suite:
    """One process's view of the suite; everything in it is made when first asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.cases: dict[str, Case] = {}
        self.problems: dict[str, str] = {}
        self.live: Live | None = None
        self._watch: Watch | None = None
        self._checked = False
        self.unwritten = False
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
        return self.rerun.begin(new_session()) if self.rerun is not None else new_session()

    @cached_property
    def rerun(self) -> Rerun | None:
        """The rerun that this session is, in the process that reports, where it trains at all."""
        settings, option = self.settings, self.config.option
        if self.is_worker or not settings.rerun or settings.plan or option.collectonly:
            return None
        from importlib import metadata

        from cvclaims.records import Rerun

        chosen = (self.config.args, option.keyword, option.markexpr, settings.ids)
        about = {
            "claims": repr((*chosen, settings.scale, settings.device)),
            "data": str(settings.data),
            "machine": platform.node(),
            "torch": metadata.version("torch"),
        }
        return Rerun(settings.store, about)

    @cached_property
    def notes(self) -> Notes:
        """What workers leave for the process that reports."""
        from cvclaims.plugins.notes import Notes

        given = self._worker.get("cvclaims_notes")
        return Notes(Path(str(given))) if given else Notes.fresh()

    def tell_worker(self) -> dict[str, object]:
        """What a worker has to know of this session."""
        # The settings of a project without claims are its own; all workers have one session.
        if "session" not in self.__dict__ and not options.any_given(self.config):
            from cvclaims.session import new_session

            self.session = new_session()
        return {"cvclaims_session": self.session, "cvclaims_notes": str(self.notes.folder)}

    def take_problems(self) -> list[str]:
        """What the store could not trust, and what could not be told, since last asked."""
        taken = self.live.take_faults() if self.live is not None else []
        if "store" in self.__dict__:
            taken, self.store.problems = [*taken, *self.store.problems], []
        return taken

    def engine_for(self, case: Case) -> Refusing | Told:
        """The engine for a claim: one that refuses, where its runs cannot be had here."""
        if case.refusal is not None:
            from cvclaims.engines import Refusing

            return Refusing(case.refusal)
        from cvclaims.plugins.live import Told, called

        # Made on demand: a verdict on something counted needs no engine, and so no torch.
        return Told(lambda: self.engine, self.live, called(case.claim), self._count)

    def _count(self) -> None:
        """Let the process that reports know which runs this one has trained and read."""
        if self.is_worker and "engine" in self.__dict__:
            keys = [sorted(self.engine.trained), sorted(self.engine.read)]
            self.notes.leave(f"runs-{self.worker}", keys)

    def runs(self) -> tuple[int, int]:
        """How many runs this session has read and trained so far, in all its processes."""
        read: set[str] = set()
        trained: set[str] = set()
        if "engine" in self.__dict__:
            trained, read = set(self.engine.trained), set(self.engine.read)
        for trained_there, read_there in self.notes.read("runs-*"):
            trained.update(trained_there)
            read.update(read_there)
        return len(read - trained), len(trained)

    def header(self) -> list[str]:
        """The settings and the session's name, for pytest's header."""
        from cvclaims.plugins.terminal import sheet_of

        told = f"{self.settings.header()}, session {self.session}"
        if self.rerun is not None and self.rerun.goes_on:
            told += ", which was killed and goes on"
        return sheet_of(self.config).wrap(told)

    @property
    def is_worker(self) -> bool:
        """Whether this process runs tests for another that reports them."""
        return bool(self._worker)

    @property
    def workers(self) -> int:
        """How many processes share the machine, or would, where a plan is asked for."""
        asked = getattr(self.config.option, "numprocesses", None) or 1
        return int(str(self._worker.get("workercount", asked)))

    @property
    def worker(self) -> str:
        """This process's name among them."""
        return str(self._worker.get("workerid", "gw0"))

    def select(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Leave only the claims that --claims-id names, where it is given."""
        if self.config.getoption("claims_id") is None:
            return
        from cvclaims.plugins import ids

        asked = self.settings.ids
        found = [id for item in items if (id := ids.claim_id(item)) is not None]
        # What was not collected at all, as --lf leaves out whole files, may have the id.
        whole = not session.testsfailed and not self.config.getoption("lf", False)
        if whole and (why := ids.unknown(asked, found)):
            self._refuse(why)
        items[:], left = ids.split(items, asked)
        if left:
            self.config.hook.pytest_deselected(items=left)

    def _refuse(self, why: str) -> None:
        """End the session with a line; from a worker by the process that reports."""
        if not self.is_worker:
            raise pytest.UsageError(why)
        self.notes.leave(f"refused-{self.worker}", why)

    def collect(self, items: list[pytest.Item]) -> None:
        """Take up the claims among the tests that will run; workers begin with the longest."""
        claims = [item for item in items if item.get_closest_marker("claim")]
        if options.is_plan(self.config):
            from cvclaims.plugins.plan import Planner

            self.config.pluginmanager.register(Planner(self), "cvclaims-planner")
        if not claims:
            return
        from cvclaims.plugins.cases import cases_of
        from cvclaims.plugins.ids import claim_id

        if not (options.any_given(self.config) or any(map(claim_id, claims))):
            return  # the project has a marker of that name for something else
        self.attend()

        try:
            self.cases, self.problems = cases_of(claims, self.settings, self.store)
        except pytest.UsageError as error:
            self._refuse(str(error))
            return
        if self.is_worker:
            # A worker that dies in a test can no longer say which claim it had.
            headings = {nodeid: case.heading() for nodeid, case in self.cases.items()}
            self.notes.leave(f"cases-{self.worker}", headings)
            rank = {nodeid: number for number, nodeid in enumerate(self.order())}
            items.sort(key=lambda item: rank.get(item.nodeid, len(rank)))
        else:
            self._check()
        if not (self.settings.replay or self.settings.plan):
            self.live = self._live(display=not self.is_worker, trains=True)

    def begin(self) -> None:
        """Take up the session's id, and attend to signals; raises UsageError."""
        from cvclaims.locks import LockError
        from cvclaims.records import StoreError

        try:
            _ = self.session
        except (StoreError, LockError) as error:
            raise pytest.UsageError(f"--claims-rerun: {error}") from None
        self.attend()

    def attend(self) -> None:
        """Let signals end this process in order, and let its waits be heard."""
        from cvclaims.plugins import process

        process.attend(self.config)

    def workers_collected(self) -> None:
        """What was refused in a worker, and what would fail in all of them, ends the session."""
        for why in self.notes.read("refused-*"):
            raise pytest.UsageError(why)
        if self.notes.read("cases-*"):
            self.attend()
            self._check()
            self.watch()

    def _check(self) -> None:
        """Raise UsageError, once and before anything trains, for what would fail in every claim."""
        if self._checked or self.config.option.collectonly:
            return
        self._checked = True
        from cvclaims.plugins import device

        wanted = self.settings.device
        trains = not (self.settings.replay or self.settings.plan)
        # Asking torch takes seconds: not where the answer can only be the CPU.
        if trains and device.asks_for_more_than_cpu(wanted) and (why := device.fault(wanted)):
            raise pytest.UsageError(f"--claims-device: {why}")

    def _live(self, *, display: bool, trains: bool) -> Live:
        """What this process tells of its training; tools are told by those that train."""
        from cvclaims.events import Journal
        from cvclaims.plugins import live, trackers

        worker = self.worker if self.is_worker or trains else "main"
        journal = Journal(self.settings.store, self.session, worker)
        told = []
        if trains and self.settings.live and not self.config.option.collectonly:
            folder = self.settings.default
            options.keep_from_git(folder / "tensorboard", folder)
            try:
                told = trackers.trackers(self.settings.live, self.session, folder)
            except trackers.TrackerError as error:
                self._refuse(str(error))
        shown = live.display_for(self.config) if display else live.Display()
        return live.Live(journal, shown, told, self._known)

    def _known(self) -> Known:
        from cvclaims.plugins.live import Known

        return Known.of(self.cases.values(), self.plan())

    def watch(self) -> None:
        """Show what the workers train."""
        if self._watch is not None or self.settings.replay:
            return
        from cvclaims.plugins import live

        self.live = self._live(display=True, trains=False)
        self._watch = live.Watch(self.live, self.config.get_terminal_writer())
        self._watch.start()

    def judged(self, row: ClaimView) -> None:
        """Let whoever watches know of a verdict."""
        if self.live is not None and not self.is_worker:
            self.live.journal.write("claim", id=row.id, case=row.case, verdict=row.verdict)

    def troubled(self, problems: list[str]) -> None:
        """Let whoever watches know of problems."""
        if self.live is not None and not self.is_worker:
            for problem in problems:
                self.live.journal.write("problem", text=problem)

    def gone(self, worker: str) -> None:
        """A worker that is gone trains nothing."""
        if self.live is not None:
            self.live.journal.write("end", worker=worker)

    def unwatch(self) -> None:
        """Leave the terminal to pytest."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        if self.live is not None:
            self.live.close()

    def finish(self) -> None:
        """Write what could not be written before; what still cannot is lost, and said to be."""
        if "engine" not in self.__dict__ or not (left := len(self.engine.unwritten)):
            return
        from cvclaims.records import UnwrittenError

        self.unwritten = True
        try:
            self.engine.close()
            told = f"the records of {left} runs that could not be written at first are written now"
        except UnwrittenError as why:
            told = f"the records of {len(self.engine.unwritten)} finished runs are lost: {why}"
        if self.is_worker:
            self.notes.leave(f"unwritten-{self.worker}", told)
        else:
            self.store.problems.append(told)

    def close(self) -> None:
        """Remove what the workers left, and let the store go."""
        if not self.is_worker and "rerun" in self.__dict__ and self.rerun is not None:
            self.rerun.close()
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
            from cvclaims.schedule import cheapest_first

            rest = cheapest_first(rest, self.settings.seeds)
        else:
            rest.sort(key=lambda case: -case.cost)
        return [case.nodeid for case in (*rest, *timed)]

    def plan(self) -> list[Run]:
        """Every run that the selected claims need for their first look, in that order."""
        from cvclaims.schedule import first_runs

        cases = [self.cases[nodeid] for nodeid in self.order()]
        able = [case for case in cases if case.refusal is None and not case.is_timed]
        return first_runs(able, self.settings.seeds)

    @cached_property
    def device(self) -> torch.device:
        """The device to train on; also gives torch its share of the processor."""
        import torch

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
        # More threads than cores cost a factor of ten, so workers divide the cores. A number that
        # was asked for in torch's own way stands.
        if "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(max(1, (cores or os.cpu_count() or 1) // self.workers))
        from cvclaims.plugins import device

        wanted = self.settings.device
        if why := device.fault(wanted):  # a test that is no claim may ask for a device, too
            pytest.fail(f"--claims-device: {why}", pytrace=False)
        return device.chosen(wanted, self.worker)

    @cached_property
    def engine(self) -> Engine:
        """Where this session's records come from."""
        from cvclaims.engines import Session, engine_named

        settings = self.settings
        if not settings.replay:
            options.keep_from_git(settings.store, settings.default)
        session = Session(
            store=self.store,
            device=lambda: self.device,
            data_folder=settings.data,
            plan=() if settings.replay else self.plan(),
            share=self.workers,
            session=self.session,
            rerun=settings.rerun,
            claims=self.config.rootpath,
            report=self.live.tell if self.live is not None else None,
        )
        return engine_named("replay" if settings.replay else settings.engine)(session)


SUITE = pytest.StashKey[Suite]()


def suite_of(config: pytest.Config) -> Suite:
    """The suite of a session, made when first asked for: plugins are configured in any order."""
    suite = config.stash.get(SUITE, None)
    if suite is None:
        suite = config.stash[SUITE] = Suite(config)
    return suite
