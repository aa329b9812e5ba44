"""Claims as comma-separated values: a line for each quantity, or one where a claim has none."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from cvclaims.results.view import ClaimView

# A cell's text or number, of a claim and the name of one of its quantities.
Cell = Callable[[ClaimView, str], Any]


def csv_table(views: Iterable[ClaimView], without: Sequence[str] = ()) -> str:
    """The views below a line of heads; numbers in full, several of one cell with semicolons."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    columns = {name: cell for name, cell in COLUMNS.items() if name not in without}
    writer.writerow(columns)
    for view in views:
        for name in dict.fromkeys([*view.reported, *view.measured]) or [""]:
            writer.writerow(_shown(cell(view, name)) for cell in columns.values())
    return lines.getvalue()


def _shown(value: Any) -> Any:
    """A text or a number as it is, None as nothing, several with semicolons; True is all."""
    if isinstance(value, list | tuple):
        return "; ".join("nan" if part is None else str(part) for part in value)
    return "all" if value is True else value


def _field(name: str) -> Cell:
    of = attrgetter(name)
    return lambda view, _: of(view)


def _of_measured(part: str) -> Cell:
    return lambda view, name: view.measured[name].get(part) if name in view.measured else None


def _of_decision(part: str) -> Cell:
    return lambda view, _: view.decision.get(part)


def _versions(view: ClaimView, _: str) -> list[str]:
    return [f"{name} {version}" for name, of in view.versions.items() for version in of]


def _records(view: ClaimView, _: str) -> list[str]:
    return [f"{name} {key}" for name, keys in view.evidence.items() for key in keys]


def _fields(*names: str) -> dict[str, Cell]:
    return {name: _field(name) for name in names}


COLUMNS: Mapping[str, Cell] = {
    **_fields("report", "id", "case", "title", "source", "scale", "verdict", "disputed"),
    "quantity": lambda _, name: name,
    "reported": lambda view, name: view.reported.get(name),
    **{part: _of_measured(part) for part in ("mean", "std", "n", "values")},
    **_fields("rule", "bound"),
    **{part: _of_decision(part) for part in ("estimate", "lower", "upper", "level", "p")},
    **_fields("size", "own_runs", "guards", "about_failing", "assumed", "device", "data"),
    "versions": _versions,
    "records": _records,
    **_fields("figures", "reason", "failure"),
}
