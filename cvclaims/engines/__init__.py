"""Where runs are carried out.

An engine gives the records of the runs it is asked for. `inline` trains in this process and
shares the work with others through the store; `replay` trains nothing.
"""

from collections.abc import Sequence
from typing import Protocol

from cvclaims.plan import Run
from cvclaims.records import Record


class NotEvaluated(Exception):  # noqa: N818
    """A claim cannot be evaluated here; the message says why, and what to do about it."""


class RunFailed(RuntimeError):  # noqa: N818
    """A run crashed: an error, never a refutation."""


class Engine(Protocol):
    """What a verdict asks for records."""

    def records(self, runs: Sequence[Run]) -> list[Record]:
        """The record of each run, in order.

        Raises NotEvaluated where a run cannot be had here, RunFailed where it crashed.
        """


class Refusing:
    """An engine for claims whose runs cannot be had here."""

    def __init__(self, why: str) -> None:
        self.why = why

    def records(self, runs: Sequence[Run]) -> list[Record]:
        """Raise NotEvaluated."""
        raise NotEvaluated(self.why)
