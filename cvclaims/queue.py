"""The queue of long runs: which claims to train, at which scale, in which order."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvclaims.catalogue import SCALES, known

_FIELDS = {"what": str, "claims": list, "scale": str, "timed": bool, "hours": float}


class QueueError(ValueError):
    """A queue cannot be used; the message is one line that names the file and the step."""


@dataclass(frozen=True)
class Step:
    """One step: the claims of `ids`, at a scale.

    Attributes:
        number: its place in the queue, from 1.
        timed: whether its claims are timed, which wants the machine alone.
        hours: what was planned for it on two cores; 0 where nothing was.
    """

    number: int
    what: str
    ids: tuple[str, ...]
    scale: str
    timed: bool = False
    hours: float = 0.0


def read_queue(path: Path) -> list[Step]:
    """The steps of a TOML file of `[[step]]` tables; raises QueueError."""
    try:
        form = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise QueueError(f"{path} cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise QueueError(f"{path} is no TOML: {error}") from None
    steps = form.get("step")
    if set(form) != {"step"} or not isinstance(steps, list) or not steps:
        raise QueueError(f"{path} holds no list of [[step]] tables, and nothing else")
    return [_step(path, number, table) for number, table in enumerate(steps, 1)]


def _step(path: Path, number: int, table: Mapping[str, Any]) -> Step:
    def refuse(why: object) -> QueueError:
        return QueueError(f"{path}: step {number}: {why}")

    if not isinstance(table, Mapping):
        raise refuse(f"it is no table but {table!r}")
    try:
        for name, value in table.items():
            kind = _FIELDS[known("field", name, _FIELDS)]
            fits = isinstance(value, int | float) if kind is float else isinstance(value, kind)
            if not fits or (kind is float and (isinstance(value, bool) or not 0 <= value < 1e6)):
                raise ValueError(f"`{name}` cannot be {value!r}")
        ids = table.get("claims", [])
        if not ids or not all(isinstance(id, str) and id and "," not in id for id in ids):
            raise ValueError("`claims` lists the ids of claims, such as ['3.01', '2.*']")
        known("scale", table.get("scale"), [scale for scale in SCALES if scale != "smoke"])
    except ValueError as why:
        raise refuse(why) from None
    return Step(
        number,
        table.get("what", ""),
        tuple(ids),
        table["scale"],
        table.get("timed", False),
        float(table.get("hours", 0)),
    )
