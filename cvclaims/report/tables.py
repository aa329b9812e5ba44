"""Rows as Markdown: the table of a report, and the counts over all of them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cvclaims.report.quantities import NONE, side_by_side
from cvclaims.report.rows import VERDICTS, Row

# A symbol for the eye that scans a column; the word beside it says the same.
SYMBOLS: Mapping[str, str] = {
    "supported": "✓",
    "refuted": "✗",
    "inconclusive": "?",
    "error": "!",
    "ran": "·",
    "not evaluated": "–",
}
# What becomes of a claim with several rows: the first of these that one of them has.
_LEAST_FAVOURABLE = ("error", "refuted", "inconclusive", "not evaluated", "ran", "supported")


def verdict(row: Row) -> str:
    """The verdict in words, and what it means for a disputed claim."""
    if not row.disputed:
        return row.verdict
    meaning = {"refuted": "disputed, as expected", "supported": "disputed: a surprise"}
    return f"{row.verdict} ({meaning.get(row.verdict, 'disputed')})"


@dataclass(frozen=True)
class Quantity:
    """One line of a row's numbers, as text; `n` is empty where the row says it once for all."""

    name: str
    reported: str
    measured: str
    n: str = ""


def quantities(row: Row) -> tuple[list[Quantity], str]:
    """The row's numbers by name, reported ones first, and how many values all of them rest on.

    The second is empty where they differ (then each line says it) and where a single value has
    no seeds behind it, as a number of parameters has none.
    """
    names = [*row.reported, *(name for name in row.measured if name not in row.reported)]
    sizes = {measured["n"] for measured in row.measured.values()}
    lines = []
    for name in names:
        measured = row.measured.get(name)
        n = f"n = {measured['n']}" if measured and len(sizes) > 1 else ""
        shown = "" if len(names) == 1 else name
        lines.append(Quantity(shown, *side_by_side(row.reported.get(name), measured), n))
    if len(sizes) != 1 or (sizes == {1} and not row.evidence):
        return lines, ""
    return lines, counted(sizes.pop(), "seed" if row.evidence else "value")


def markdown_table(rows: Sequence[Row]) -> str:
    """The rows of one report as a GitHub table, in the order given.

    The decision stands in small print beneath the statement. A statement is not said again for
    the further cases of its claim.
    """
    lines = ["| claim | statement | reported | measured | verdict | scale, data | device |"]
    lines.append("|---|---|---|---|---|---|---|")
    before: Row | None = None
    for row in rows:
        same = before is not None and (before.id, before.title) == (row.id, row.title)
        lines.append("| " + " | ".join(_markdown_cells(row, same)) + " |")
        before = row
    return "\n".join(lines) + "\n"


def _markdown_cells(row: Row, same_statement: bool) -> list[str]:
    numbers, common = quantities(row)
    measured = [_named(q.name, q.measured, q.n and f"({q.n})") for q in numbers]
    if common and row.measured:
        measured.append(f"<sub>{common}</sub>")
    reported = [_named(q.name, q.reported) for q in numbers] if row.reported else []
    statement = [] if same_statement else [plain(row.title)]
    if row.reason:
        statement.append(f"<sub>{plain(_one_line(row.reason, 300))}</sub>")
    return [
        _stack([f"**{plain(row.id)}**", plain(row.case)]),
        _stack(statement),
        _stack(reported) or NONE,
        _stack(measured if row.measured else []) or NONE,
        _unbroken(SYMBOLS[row.verdict]) + _unbroken(" ") + verdict(row),
        _stack([row.scale, plain(row.data)]),
        plain(row.device) or NONE,
    ]


def _named(*parts: str) -> str:
    # Names may break the line, numbers may not: "±" must not begin one.
    return " ".join([plain(parts[0]), *map(_unbroken, parts[1:])]).strip()


def _stack(parts: Iterable[str]) -> str:
    return "<br>".join(part for part in parts if part)


def _unbroken(text: str) -> str:
    return text.replace(" ", "\u00a0")


def plain(text: str) -> str:
    """Text as it is, whatever Markdown, HTML or GitHub's formulas would make of it."""
    text = " ".join(text.split())
    text = (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")
    )
    text = re.sub(r"([\\`*|~])", r"\\\1", text)
    # Inside a word an underscore is one; at its edge it would begin or end emphasis.
    text = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)
    return text.replace("](", "]\\(")


def _one_line(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def assumed(rows: Sequence[Row]) -> str:
    """One line naming the protocol fields that the report does not state; empty without any."""
    with_recipes = {row.id for row in rows if row.recipes}
    fields: dict[str, dict[str, None]] = {}
    for row in rows:
        for name in row.assumed:
            fields.setdefault(name, {})[row.id] = None
    told = [
        name if set(ids) == with_recipes else f"{name} ({', '.join(ids)})"
        for name, ids in fields.items()
    ]
    return f"Assumed, as the report does not say: {', '.join(told)}." if told else ""


def overview(rows: Sequence[Row]) -> str:
    """Claims and rows by report and verdict, as a Markdown table with a line of totals."""
    heads = ["report", "claims", "supported", "refuted", "of them disputed"]
    heads += ["inconclusive", "ran", "not evaluated", "error"]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "--:|" * (len(heads) - 1)]
    reports = by_report(rows)
    for slug, part in reports.items():
        number, title, _ = heading(part)
        name = plain(f"{number}. {title or slug}" if number else title or slug)
        lines.append(f"| {name} | " + " | ".join(_tally(part)) + " |")
    if len(reports) != 1:
        lines.append("| **all** | " + " | ".join(_tally(rows)) + " |")
    return "\n".join(lines) + "\n"


def by_report(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows by their report's slug, both in the order given."""
    reports: dict[str, list[Row]] = {}
    for row in rows:
        reports.setdefault(row.report, []).append(row)
    return reports


def heading(rows: Sequence[Row]) -> tuple[int, str, str]:
    """Number, title and note of a report; an old row may lack what a newer one has."""
    number = max((row.report_number for row in rows), default=0)
    titles = [row.report_title for row in rows if row.report_title]
    notes = [row.report_note for row in rows if row.report_note]
    return number, titles[-1] if titles else "", notes[-1] if notes else ""


def _tally(rows: Sequence[Row]) -> list[str]:
    claims: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        claims.setdefault((row.report, row.id), []).append(row)
    cells = [_claims_and_rows(len(claims), len(rows))]
    for name in ("supported", "refuted", "disputed", *VERDICTS[2:]):
        cells.append(
            _claims_and_rows(
                sum(_counts_as(part, name) for part in claims.values()),
                sum(_counts_as([row], name) for row in rows),
            )
        )
    return cells


def _counts_as(claim: Sequence[Row], name: str) -> bool:
    found = {row.verdict for row in claim}
    worst = next(verdict for verdict in _LEAST_FAVOURABLE if verdict in found)
    if name == "disputed":  # a claim that fails in one undisputed case is no longer expected to
        refuted = [row for row in claim if row.verdict == "refuted"]
        return worst == "refuted" and all(row.disputed for row in refuted)
    return worst == name


def _claims_and_rows(claims: int, rows: int) -> str:
    return f"{claims} ({rows})" if rows else "0"


def counted(number: int, unit: str) -> str:
    """ "1 seed", "5 seeds"."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
