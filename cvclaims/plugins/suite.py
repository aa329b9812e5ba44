"""What the plugins share in one process: settings, store, cases, engine."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from cvclaims.plugins import settings as options
from cvclaims.plugins.settings import Settings

if TYPE_CHECKING:
    import torch

    from cvclaims.engines import Engine
    from cvclaims.plan import Run
    from cvclaims.plugins.cases import Case
    from cvclaims.records import Store


class Suite:
    """One process's view of the suite; everything in it is made when first asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.cases: dict[str, Case] = {}
        self.problems: dict[str, str] = {}
        self._worker: dict[str, object] = getattr(config, "workerinput", {})
        # A rerun discards what was recorded before the whole session began, not before this
        # worker did: another worker may have finished a run by then.
        self.started = float(str(self._worker.get("cvclaims_started", time.time())))

    @cached_property
    def settings(self) -> Settings:
        """What the options say."""
        return options.read(self.config)

    @cached_property
    def store(self) -> "Store":
        """The store of records."""
        return self.settings.open_store()

    def take_problems(self) -> list[str]:
        """What the store could not trust since last asked."""
        if "store" not in self.__dict__:
            return []
        taken, self.store.problems = self.store.problems, []
        return taken

    def engine_for(self, case: "Case") -> "Engine":
        """The engine for a claim: one that refuses, where its runs cannot be had here."""
        if case.refusal is None:
            return self.engine
        from cvclaims.engines import Refusing

        return Refusing(case.refusal)

    @property
    def is_worker(self) -> bool:
        """Whether this process runs tests for another that reports them."""
        return bool(self._worker)

    @property
    def workers(self) -> int:
        """How many processes share the machine."""
        return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

    def collect(self, items: Sequence[pytest.Item]) -> None:
        """Take up the claims among the collected tests."""
        if not any(item.get_closest_marker("claim") for item in items):
            return
        from cvclaims.plugins.cases import cases_of

        self.cases, self.problems = cases_of(items, self.settings, self.store)

    def plan(self) -> "list[Run]":
        """Every run that the selected claims need for their first look, longest first."""
        from cvclaims.plan import first_runs

        cases = sorted(self.cases.values(), key=lambda case: -case.cost)
        wanted = [(case.claim, case.scale) for case in cases if case.refusal is None]
        return first_runs(wanted, self.settings.seeds)

    @cached_property
    def device(self) -> "torch.device":
        """The device to train on; also gives torch its share of the processor."""
        import torch

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
        # More threads than cores cost a factor of ten, so workers divide the cores.
        torch.set_num_threads(max(1, (cores or os.cpu_count() or 1) // self.workers))
        return _device(self.settings.device, str(self._worker.get("workerid", "gw0")))

    @cached_property
    def engine(self) -> "Engine":
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
            since=self.started if self.settings.rerun else float("-inf"),
        )


def _device(wanted: str, worker: str) -> "torch.device":
    """Worker i takes GPU i modulo the GPUs that CUDA_VISIBLE_DEVICES leaves."""
    import torch

    if wanted == "auto":
        wanted = "cuda" if options.gpu_present() else "cpu"
    if not wanted.startswith("cuda"):
        return torch.device(wanted)
    if not torch.cuda.is_available():
        raise RuntimeError(
            "this machine shows a GPU but torch cannot use it; install a torch for it, or train "
            "on the CPU with --claims-device cpu"
        )
    if wanted == "cuda":
        number = int(worker.removeprefix("gw") or 0) % torch.cuda.device_count()
        wanted = f"cuda:{number}"
    return torch.device(wanted)


SUITE = pytest.StashKey[Suite]()


def suite_of(config: pytest.Config) -> Suite:
    """The suite of a session, made when first asked for: plugins are configured in any order."""
    return config.stash.setdefault(SUITE, Suite(config))
