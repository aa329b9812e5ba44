"""In which order claims are taken up, so that what can be decided soon is decided first."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from cvclaims.claim import Claim
from cvclaims.plan import Run, Scaled, looks


class Wanted(Protocol):
    """A claim that is to be judged at a scale."""

    @property
    def claim(self) -> Claim:
        """The claim."""

    @property
    def scale(self) -> str:
        """The scale."""

    @property
    def arms(self) -> Mapping[str, Scaled]:
        """Its recipes as they are at that scale, by name."""


W = TypeVar("W", bound=Wanted)
# What a run costs, in whatever is compared; None where nobody knows.
Cost = Callable[[Run], float | None]


@dataclass(frozen=True)
class Step(Generic[W]):
    """A claim in the order of work: the runs of its first look, and those still to be trained."""

    case: W
    runs: Sequence[Run]
    new: Sequence[Run]


def runs_to(case: Wanted, seeds: int) -> list[Run]:
    """The runs of a claim over so many seeds that have to be trained; smoke takes one seed."""
    upto = range(1 if case.scale == "smoke" else seeds)
    found = (arm.runs(upto) for arm in case.arms.values() if arm.trained.available is None)
    return list(dict.fromkeys(run for runs in found for run in runs))


def first_runs(cases: Iterable[Wanted], seeds: int | None = None) -> list[Run]:
    """The runs that claims need for their first look: each once, in order."""
    found = (runs_to(case, looks(case.claim, seeds)[0]) for case in cases)
    return list(dict.fromkeys(run for runs in found for run in runs))


def order(cases: Sequence[W], there: Set[Run], seeds: int | None, cost: Cost) -> Iterator[Step[W]]:
    """The claims by what they cost besides what is there or trained before them, cheapest first.

    Those whose first look is there are left out. Where not every run's cost is known, the work of
    a run stands for it.
    """
    needed = [(case, runs_to(case, looks(case.claim, seeds)[0])) for case in cases]
    everything = {run for _, runs in needed for run in runs} - there
    costs = {run: cost(run) for run in everything}
    if None in costs.values():
        costs = {run: run.trained.work for run in everything}
    done = set(there)
    left = [(case, runs) for case, runs in needed if not done.issuperset(runs)]
    while left:
        new = [[run for run in runs if run not in done] for _, runs in left]
        cheapest = min(range(len(left)), key=lambda i: sum(costs[run] or 0 for run in new[i]))
        case, runs = left.pop(cheapest)
        done.update(new[cheapest])
        yield Step(case, runs, new[cheapest])


def cheapest_first(cases: Sequence[W], seeds: int | None) -> list[W]:
    """All of the claims in that order, by work alone, as if nothing were stored.

    Before them those that train nothing, which are decided in seconds.
    """
    training = [step.case for step in order(cases, set(), seeds, lambda _: None)]
    taken = set(map(id, training))
    return [*(case for case in cases if id(case) not in taken), *training]
