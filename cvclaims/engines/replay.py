"""Judging from stored records alone: no training, no data, no torch."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cvclaims.engines import NotEvaluated, Session
from cvclaims.engines.logged import with_logged
from cvclaims.plan import Run
from cvclaims.records import Record, Store

if TYPE_CHECKING:
    from cvclaims.training.timing import Times

NOT_TRAINED = "no record of seed"


class Replay:
    """An engine that only reads the store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.trained: set[str] = set()  # none, ever; as the engine that trains has it
        self.read: set[str] = set()
        self.unwritten: list[Record] = []

    def close(self) -> None:
        """Nothing is left to write."""

    def records(self, runs: Sequence[Run]) -> list[Record]:
        """The stored record of each run; NotEvaluated where one is missing."""
        return with_logged(runs, self._records)

    def _records(self, runs: Sequence[Run]) -> list[Record]:
        prints = self._fingerprints(runs)
        found = []
        for run in runs:
            same = [
                r for r in self._sound(run) if r.origin.fingerprint == prints[run.trained.folder]
            ]
            if not same:
                raise NotEvaluated(f"{NOT_TRAINED} {run.seed} at {run.scale} scale")
            found.append(same[0])
        self.read.update(record.key for record in found)
        return found

    def times(self, first: Any, second: Any, seed: int, scale: str) -> "Times":
        """NotEvaluated: no record keeps a time."""
        raise NotEvaluated("times are taken anew in every session")

    def _sound(self, run: Run) -> list[Record]:
        """The records of a run that did not crash, on whatever data."""
        of_seed = [r for r in self.store.of(run.trained) if r.seed == run.seed]
        return [record for record in of_seed if record.status != "failed"]

    def _fingerprints(self, runs: Sequence[Run]) -> dict[str, str]:
        """By data set, the data that most of these runs were made on: two are never mixed."""
        seen: dict[str, Counter[str]] = {run.trained.folder: Counter() for run in runs}
        for run in dict.fromkeys(runs):
            seen[run.trained.folder].update(
                record.origin.fingerprint for record in self._sound(run)
            )
        return {
            data: max(counts, key=lambda f: (counts[f], f), default="")
            for data, counts in seen.items()
        }


def start(session: Session) -> Replay:
    """The engine of a session."""
    return Replay(session.store)
