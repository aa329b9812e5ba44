"""The table of measurements: kept in `measured.json`, and shown in the README between two marks.

Rows come from different machines, since not every machine has a GPU. A run replaces the rows that
it measured and leaves all others as they are, each with the machine it was measured on. To drop a
row whose benchmark is gone, delete it from `measured.json`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tabulate import tabulate

NOT_MEASURED = "not measured"
MARKS = "<!-- table: written by `make bench` -->", "<!-- end of table -->"
HEAD = ("work", "reference / ours", "reference", "ours", "ratio", "asked", "peak memory", "on")


@dataclass(frozen=True)
class Row:
    """One line of the table; every number in it is text as shown.

    Attributes:
        work: what both sides do; no two rows have the same.
        sides: what is special of the reference and of ours, as "fp32, eager / bf16, CUDA graph".
        reference: the reference's time or rate.
        ours: likewise.
        ratio: of the two.
        asked: what the ratio is to be at least; empty where nothing was asked.
        memory: the most that each side took, reference / ours.
        machine: where it was measured; empty where it was not.
    """

    work: str
    sides: str = ""
    reference: str = NOT_MEASURED
    ours: str = NOT_MEASURED
    ratio: str = NOT_MEASURED
    asked: str = ""
    memory: str = NOT_MEASURED
    machine: str = ""


def merge(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """`old` with the rows of `new` in their places; rows of new work follow the one before them.

    What was not measured now takes no place from what was measured elsewhere.
    """
    rows, at = list(old), len(old)
    for row in new:
        place = next((i for i, other in enumerate(rows) if other.work == row.work), None)
        if place is None:
            place = at
            rows.insert(place, row)
        elif row.machine or not rows[place].machine:
            rows[place] = row
        at = place + 1
    return rows


def render(rows: Sequence[Row]) -> str:
    """The table in Markdown, and below it the machines that its last column numbers."""
    machines = list(dict.fromkeys(row.machine for row in rows if row.machine))
    lines = []
    for row in rows:
        number = f"({machines.index(row.machine) + 1})" if row.machine else ""
        lines.append(
            [row.work, row.sides, row.reference, row.ours, row.ratio, row.asked, row.memory, number]
        )
    table = tabulate(lines, headers=HEAD, tablefmt="github", disable_numparse=True)
    named = "\n".join(f"- ({i}) {machine}" for i, machine in enumerate(machines, 1))
    return f"{table}\n\n{named}\n" if named else f"{table}\n"


def read(file: Path) -> list[Row]:
    """The rows of `file`; none where there is no file."""
    if not file.exists():
        return []
    return [Row(**row) for row in json.loads(file.read_text(encoding="utf-8"))]


def write(rows: Sequence[Row], file: Path, readme: Path) -> None:
    """Keep `rows` in `file`, and put their table between the marks of `readme`.

    Raises ValueError where the marks are missing.
    """
    text = readme.read_text(encoding="utf-8")
    before, start, rest = text.partition(MARKS[0])
    _, stop, after = rest.partition(MARKS[1])
    if not start or not stop:
        raise ValueError(f"{readme.name} lacks the marks {MARKS[0]!r} and {MARKS[1]!r}")
    listed = json.dumps([asdict(row) for row in rows], indent=2, ensure_ascii=False)
    file.write_text(listed + "\n", encoding="utf-8")
    readme.write_text(f"{before}{start}\n\n{render(rows)}\n{stop}{after}", encoding="utf-8")
