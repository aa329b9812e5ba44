"""Claims by their ids: `--claims-id`, and the ids beside what --collect-only lists."""

import difflib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import pytest

from cvclaims.claim import ClaimMark
from cvclaims.text import clean


def claim_id(item: pytest.Item) -> str | None:
    """The id of the claim that a test judges; None for a test of something else."""
    marker = item.get_closest_marker("claim")
    if marker is None or not marker.args or not isinstance(marker.args[0], ClaimMark):
        return None
    return marker.args[0].id


def unknown(asked: Iterable[str], ids: Iterable[str]) -> str:
    """Which of the patterns no id matches, in one line with the nearest ids; empty for none."""
    known = sorted(set(ids))
    for pattern in asked:
        if not any(fnmatchcase(id, pattern) for id in known):
            close = difflib.get_close_matches(pattern, known, n=3, cutoff=0.5) or known[:3]
            hint = f"the nearest are {', '.join(close)}" if close else "no claims were collected"
            return clean(f"--claims-id: no claim is called {pattern!r}; {hint}")
    return ""


def split(
    items: Sequence[pytest.Item], asked: Sequence[str]
) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests whose claim's id matches one of the patterns, and all others."""
    chosen: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        id = claim_id(item)
        fits = id is not None and any(fnmatchcase(id, pattern) for pattern in asked)
        (chosen if fits else left).append(item)
    return chosen, left
