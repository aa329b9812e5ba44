"""Runs that exist already: read from their logs, for claims that train nothing.

    LOG = logged("runs.csv", arm="method", seed="seed")          # a row a run
    LOG = logged("runs.csv", seed="seed", step="epoch")          # a row an epoch: series by column
    LOG = logged("tb/{method}-{seed}-{tag}.csv", step="Step")    # TensorBoard: a file a run and tag
    LOG = logged("wandb.csv", columns="{method}-{seed} - {tag}", step="Step")  # W&B's chart
    LOG.where(optimizer="adam"), LOG.arms()

JSON lines are read as CSV is. What stands in braces is read off the names of files or of columns.
"""

import functools
import hashlib
import itertools
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cvclaims.catalogue import SCALES, known
from cvclaims.logs.rows import (
    CLOCK,
    FIELD,
    PLACE,
    TAG,
    Log,
    LogError,
    Row,
    as_number,
    read,
    stats,
)

__all__ = ["LogError", "Logged", "LoggedRun", "logged", "same_seeds"]


@dataclass(frozen=True)
class LoggedRun:
    """One run of a log: its seed, its numbers by name, and its series by name."""

    seed: int
    numbers: Mapping[str, float]
    series: Mapping[str, Sequence[float]]


@dataclass(frozen=True, eq=False)
class Logged:
    """Runs of a log; an arm of a claim, once those of one method are chosen. See `logged`."""

    name: str
    folder_of_caller: Path
    arm: str | None = None
    seed: str | None = "seed"
    step: str | None = None
    columns: str | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()

    def where(self, **values: Any) -> "Logged":
        """The runs that have these values in these columns."""
        return replace(self, chosen={**self.chosen, **values})

    def arms(self) -> dict[str, "Logged"]:
        """The runs of each value of the column `arm`, by names for `runs.<name>`."""
        if self.arm is None:
            raise LogError(f"{self.name}: arms() needs the column that names them: logged(arm=...)")
        found: dict[str, Logged] = {}
        for value in dict.fromkeys(str(self._of(row, self.arm)) for row in self._log().rows):
            name = re.sub(r"\W+", "_", value.strip().lower()).strip("_")
            if not name.isidentifier() or name in found:
                raise LogError(
                    f"{self.name}: {value!r} in {self.arm} gives no name of its own for "
                    f"runs.<name>: name the arms, as in {{'ours': LOG.where({self.arm}={value!r})}}"
                )
            found[name] = self.where(**{self.arm: value})
        return found

    def canonical(self) -> dict[str, Any]:
        """The hash of the file, and what of it is read, as JSON types."""
        asked = {name: getattr(self, name) for name in ("arm", "seed", "step", "columns")}
        where = {name: str(value) for name, value in self.chosen.items()}
        return {"logged": self.file_digest, "where": where, **{k: v for k, v in asked.items() if v}}

    @property
    def file_digest(self) -> str:
        """SHA-256 (hex) of the bytes of its file, or files; the evidence."""
        return self._log().digest

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical form."""
        text = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def source(self) -> str:
        """Its file, as it was named."""
        return self.name

    @property
    def folder(self) -> str:
        """Its file: runs of one are compared among themselves."""
        return self.name

    @property
    def available(self) -> int:
        """How many runs there are in all."""
        return len(self.runs())

    @property
    def light(self) -> bool:
        """Nothing is trained."""
        return True

    quick = light

    @property
    def work(self) -> float:
        """Nothing is trained."""
        return 0.0

    def at(self, scale: str) -> "Logged":
        """Itself: they are as they are."""
        known("scale", scale, SCALES)
        return self

    def refusal(self, scale: str) -> str:
        """They are there at every scale."""
        return ""

    def describe(self) -> str:
        """The file and what is chosen."""
        chosen = ", ".join(f"{name} = {value}" for name, value in self.chosen.items())
        return f"{self.name}{f' where {chosen}' if chosen else ''}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Logged) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def runs(self) -> list[LoggedRun]:
        """The runs that are chosen, by seed; raises LogError where these are not one arm's."""
        return list(_runs_of(self, self._log()))

    def _run(self, seed: int, rows: Sequence[Row], words: Set[str]) -> LoggedRun:
        no_measure = {self.seed, self.step, self.arm, *self.chosen, PLACE, TAG, CLOCK, *words}
        names = [name for name in dict.fromkeys(itertools.chain(*rows)) if name not in no_measure]
        if self.step is None:
            if len(rows) > 1:
                raise self._twice(rows, f"both seed {seed}", "a row an epoch wants step=...")
            found = {name: self._number(rows[0], name) for name in names}
            return LoggedRun(seed, {n: v for n, v in found.items() if v is not None}, {})
        steps = sorted(rows, key=lambda row: self._step(row, str(self.step)))
        series: dict[str, list[float]] = {}
        for name in names:
            points = [(row, self._number(row, name)) for row in steps]
            held = [(row, value) for row, value in points if value is not None]
            for (one, _), (other, _) in itertools.pairwise(held):
                if self._step(one, str(self.step)) == self._step(other, str(self.step)):
                    at = f"both seed {seed} at {self.step} {one[str(self.step)]}"
                    raise self._twice([one, other], at, "one of them has to go")
            if held:
                series[name] = [value for _, value in held]
        return LoggedRun(seed, {}, series)

    def _number(self, row: Row, name: str) -> float | None:
        """A number; None where the cell is empty. What is not finite is NaN: no evidence."""
        value = row.get(name)
        if value in ("", None):
            return None
        number = as_number(value)
        if number is None:
            raise LogError(
                f"{row[PLACE]}: {name} is {value!r}, which is no number; leave the cell empty "
                "where there is none"
            )
        return number if math.isfinite(number) else math.nan

    def _seed(self, row: Row, name: str) -> int:
        value = self._of(row, name)
        number = as_number(value)
        if value in ("", None):
            raise LogError(f"{row[PLACE]}: it has no {name}; every run has a seed")
        if number is None or number != int(number) or number < 0:
            raise LogError(f"{row[PLACE]}: {name} {value!r} is no whole number of 0 or more")
        return int(number)

    def _step(self, row: Row, name: str) -> float:
        number = as_number(self._of(row, name))
        if number is None:
            raise LogError(f"{row[PLACE]}: {name} {row[name]!r} is no number")
        return number

    def _of(self, row: Row, name: str) -> Any:
        """What a row has in a column that was asked for."""
        if name not in row:
            there = [column for column in row if column != PLACE]
            close = get_close_matches(name, there, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise LogError(f"{self.name} has no column {name!r}: {hint}it has {', '.join(there)}")
        return row[name]

    def _is_chosen(self, row: Row) -> bool:
        return all(_same(self._of(row, name), value) for name, value in self.chosen.items())

    def _nothing(self, rows: Sequence[Row]) -> LogError:
        if not rows:
            return LogError(f"{self.name} holds no runs")
        told = []
        for name, value in self.chosen.items():
            there = list(dict.fromkeys(str(row[name]) for row in rows))
            told.append(f"{name} = {value} ({name} is {', '.join(there[:6])})")
        return LogError(f"{self.name} holds no run where {' and '.join(told)}")

    def _twice(self, rows: Sequence[Row], what: str, mend: str) -> LogError:
        """Two rows for one run; where they differ in a column of words, that is to be chosen by."""
        first, second = rows[0], rows[1]
        apart = [n for n in first if n in self._log().words - {PLACE} and first[n] != second.get(n)]
        if named := [name for name in (self.arm, *apart) if name and name not in self.chosen]:
            mend = f"choose by where({named[0]}=...)"
        return LogError(f"{first[PLACE]} and {second[PLACE]} are {what}: {mend}")

    def _paths(self) -> list[Path]:
        pattern = FIELD.sub("*", self.name)
        if pattern == self.name:
            return [self.folder_of_caller / self.name]
        found = sorted(self.folder_of_caller.glob(pattern))
        if not found:
            raise LogError(f"{self.name}: no file here is called like that")
        return found

    def _log(self) -> Log:
        return read(self.name, self.folder_of_caller, stats(self._paths()), self.columns)


@functools.lru_cache(maxsize=256)
def _runs_of(logged: Logged, log: Log) -> Sequence[LoggedRun]:
    wanted = [row for row in log.rows if logged._is_chosen(row)]
    if not wanted:
        raise logged._nothing(log.rows)
    by_seed: dict[int, list[Row]] = {}
    for number, row in enumerate(wanted):
        seed = number if logged.seed is None else logged._seed(row, logged.seed)
        by_seed.setdefault(seed, []).append(row)
    return [logged._run(seed, by_seed[seed], log.words) for seed in sorted(by_seed)]


def logged(
    path: str,
    *,
    arm: str | None = None,
    seed: str | None = "seed",
    step: str | None = None,
    columns: str | None = None,
) -> Logged:
    """Runs of a log, judged at one look on all seeds that there are.

    Args:
        path: the file, from the folder of the file that calls this; CSV, JSON lines or a JSON list.
            Fields in braces stand for any text and become columns: one file for each run.
        arm: the column that tells methods apart, for `Logged.arms`.
        seed: the column of whole numbers that tells runs apart; None: each row is a run.
        step: the column of epochs or steps, where a run has a row for each.
        columns: how columns are named where each holds a run, as "{method}-{seed} - {tag}".

    Nothing is read before it is asked for. A number that is not finite is read as NaN. Raises
    LogError, here or then.
    """
    for text in filter(None, (path, columns)):
        if text.count("{") != text.count("}") or not all(
            map(str.isidentifier, FIELD.findall(text))
        ):
            raise LogError(f"{text}: a field is a name in braces, such as {{seed}}")
    if columns is not None and step is None:
        raise LogError(f"{path}: columns= needs the column of steps, step='Step'")
    caller = sys._getframe(1).f_globals.get("__file__")
    return Logged(path, Path(caller).parent if caller else Path(), arm, seed, step, columns)


def same_seeds(arms: Mapping[str, Logged]) -> None:
    """Raise LogError where one of these arms has a seed that another lacks."""
    seeds = {name: {run.seed for run in of.runs()} for name, of in arms.items()}
    for name, mine in seeds.items():
        for other, its in seeds.items():
            if lacking := sorted(its - mine):
                raise LogError(
                    f"{arms[name].name}: {name!r} has no seed {lacking[0]}, which {other!r} has: "
                    "add its row, or leave that seed out of both"
                )


def _same(found: Any, wanted: Any) -> bool:
    numbers = as_number(found), as_number(wanted)
    if None not in numbers and not isinstance(wanted, bool):
        return numbers[0] == numbers[1]
    return str(found).strip().lower() == str(wanted).strip().lower()
