"""--claims-plan: what the selected claims would train and about how long it would take here.

Nothing is trained beyond the few steps that are timed. torch is imported as the plan is printed,
and only where something is left to train.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import TYPE_CHECKING, Any

import pytest

from cvclaims.estimate import Bench, Estimate, bench_on
from cvclaims.plan import Run, looks
from cvclaims.records.record import TRAINING_REVISION
from cvclaims.schedule import Step, order, runs_to

if TYPE_CHECKING:
    from cvclaims.plugins.cases import Case
    from cvclaims.plugins.suite import Suite
    from cvclaims.records import Record


class Planner:
    """Prints the plan in place of running the tests; its methods are pytest's hooks."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        # What the lines say, for programs.
        self.facts: dict[str, Any] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run nothing; pytest's own loop still ends a session whose tests cannot be collected."""
        return None if session.testsfailed else True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The plan; with -qq without its list of claims."""
        from cvclaims.plugins.terminal import sheet_of

        terminal, sheet = terminalreporter, sheet_of(self.suite.config)
        terminal.write_sep("=", "plan")
        for line in self._lines():
            terminal.write_line(sheet.spell(line))
        for problem in dict.fromkeys([*self.suite.problems.values(), *self.suite.take_problems()]):
            terminal.write_line(sheet.spell(f"problem: {problem}"), yellow=True)

    def _lines(self) -> Iterator[str]:
        cases = list(self.suite.cases.values())
        self.facts = {"tests": len(cases), "runs": {}, "claims": []}
        if not cases:
            yield "no claims were selected"
            return
        seeds = self.suite.settings.seeds
        training = [case for case in cases if case.digests and not case.is_timed]
        yield _told(cases, training)
        if not training:
            return
        records = [record for record in self.suite.store if record.status != "failed"]
        first = [runs_to(case, looks(case.claim, seeds)[0]) for case in training]
        whole = [runs_to(case, looks(case.claim, seeds)[-1]) for case in training]
        there = set() if self.suite.settings.rerun else _there(records, whole)
        left = dict.fromkeys(run for runs in whole for run in runs if run not in there)
        beside = 1 + max(run.seed for runs in first for run in runs)
        estimate = self._estimate(records, beside) if left else Estimate([])
        timed = len(estimate.untimed(left))
        if timed:
            yield f"timing a few steps of {_kinds(timed)} ..."
        yield f"first look: {_look(first, there, estimate)}"
        yield f"worst case, no look deciding before the last: {_look(whole, there, estimate)}"
        if estimate.bench is not None:
            yield _basis(estimate, estimate.bench, timed, left)
            if any(case.refusal for case in training):
                yield "what cannot run here is counted as if it could"
        yield from estimate.faults
        steps = list(order(training, there, seeds, estimate.seconds))
        self.facts["runs"] = {
            name: _counted(part, there, estimate)
            for name, part in (("first look", first), ("worst case", whole))
        }
        self.facts["claims"] = [_facts(step, estimate) for step in steps]
        if steps and self.suite.config.option.verbose > -2:
            stored = len(training) - len(steps)
            yield f"{stored} have their first look in the store; the others, cheapest first, each"
            yield "with what those above it leave to train:"
            yield ""
            yield from _table(steps, estimate)

    def _estimate(self, records: Sequence[Record], beside: int) -> Estimate:
        """For the device that the claims would train on here, where torch can use it."""
        from cvclaims.plugins import device

        wanted, workers = self.suite.settings.device, self.suite.workers
        if why := device.fault(wanted):
            estimate = Estimate(records)
            estimate.faults.append(f"times cannot be estimated: {why}")
            return estimate
        lanes = device.side_by_side(wanted, workers)
        return Estimate(records, bench_on(self.suite.device, beside), lanes)


def _basis(estimate: Estimate, bench: Bench, timed: int, left: Iterable[Run]) -> str:
    """What the times are, and from what."""
    by = [f"a few steps of {_kinds(timed)} on random data"] if timed else []
    by += ["records of this device"] if estimate.by_records else []
    lanes = estimate.lanes
    how = "run after run" if lanes == 1 else f"shared evenly among {lanes} workers as fast as one"
    told = f"times are estimates, {how}, for {bench.name}, by {' and '.join(by)}"
    early = estimate.may_stop_early(left)
    return told + ("; runs that may stop early are taken to their last epoch" if early else "")


def _kinds(count: int) -> str:
    return f"{count} kind{'s' * (count != 1)} of network"


def _there(records: Sequence[Record], needed: Iterable[Sequence[Run]]) -> set[Run]:
    """The runs that the store holds."""
    held = {(r.trained.digest, r.seed) for r in records if r.origin.revision == TRAINING_REVISION}
    return {run for runs in needed for run in runs if (run.trained.digest, run.seed) in held}


def _look(needed: Sequence[Sequence[Run]], there: Set[Run], estimate: Estimate) -> str:
    claims = Counter(run for runs in needed for run in runs)
    left = [run for run in claims if run not in there]
    shared = sum(count > 1 for count in claims.values())
    return (
        f"{len(claims)} run{'s' * (len(claims) != 1)}, {shared} of them shared between claims; "
        f"{len(claims) - len(left)} in the store, {len(left)} left: {estimate.told(left)}"
    )


def _counted(
    needed: Sequence[Sequence[Run]], there: Set[Run], estimate: Estimate
) -> dict[str, Any]:
    """How many runs, how many are left, and their seconds; None where some cannot be told."""
    runs = {run for part in needed for run in part}
    left = [run for run in runs if run not in there]
    seconds, unknown = estimate.total(left)
    return {"runs": len(runs), "left": len(left), "seconds": None if unknown else seconds}


def _facts(step: Step[Case], estimate: Estimate) -> dict[str, Any]:
    claim = step.case.claim
    seconds, unknown = estimate.total(step.new)
    return {
        "claim": claim.id,
        "case": claim.case,
        "scale": step.case.scale,
        "runs": len(step.runs),
        "left": len(step.new),
        "seconds": None if unknown else seconds,
    }


def _told(cases: Sequence[Case], training: Sequence[Case]) -> str:
    scales = Counter(case.scale for case in training)
    parts = [f"{count} train at {scale} scale" for scale, count in scales.items()]
    timed = sum(case.is_timed for case in cases)
    parts += [f"{timed} time their recipes"] if timed else []
    idle = len(cases) - len(training) - timed
    parts += [f"{idle} train nothing"] if idle else []
    refused = [case.refusal for case in cases if case.refusal]
    parts += [f"{len(refused)} cannot run here: {refused[0]}"] if refused else []
    return f"{len(cases)} claim test{'s' * (len(cases) != 1)}: {'; '.join(parts)}"


def _table(steps: Iterable[Step[Case]], estimate: Estimate) -> list[str]:
    from tabulate import tabulate

    heads = ("claim", "case", "scale", "runs", "to train", "time")
    lines = []
    for step in steps:
        claim = step.case.claim
        time = estimate.told(step.new, brief=True)
        numbers = len(step.runs), len(step.new), time
        lines.append((claim.id, claim.case, step.case.scale, *numbers))
    # With numparse it would write claim 5.10 as 5.1.
    alignment = ("left", "left", "left", "right", "right", "left")
    table = tabulate(lines, heads, tablefmt="simple", disable_numparse=True, colalign=alignment)
    return table.splitlines()
