"""Rows as tables: in Markdown for the page, and plain for a terminal."""

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cvclaims.report.quantities import NONE, side_by_side
from cvclaims.report.rows import Row

# A symbol for the eye that scans a column; the word beside it says the same.
SYMBOLS: Mapping[str, str] = {
    "supported": "✓",
    "refuted": "✗",
    "inconclusive": "?",
    "error": "!",
    "ran": "·",
    "not evaluated": "–",
}

_STATEMENT = "statement"
# Verdicts without numbers: the table itself has to say why.
_UNEXPLAINED = ("error", "not evaluated")
_GAP = 2  # tabulate's "simple" sets so many spaces between columns
# The narrower the terminal, the more is left out: the columns beside the claim and its statement,
# the longest name written out, and the width that the statement needs.
_LAYOUTS = (
    (("of", "reported", "measured", "verdict", "scale", "device"), 30, 28),
    (("of", "reported", "measured", "verdict", "scale"), 24, 24),
    (("of", "reported", "measured", "verdict at scale"), 16, 20),
    (("of", "reported", "measured", "verdict at scale"), 12, 14),
)


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


def terminal_table(rows: Sequence[Row], width: int) -> str:
    """The rows as a plain table, no line of it wider than `width`.

    A narrow terminal loses the device first, then the data; below about 60 columns the statement.
    """
    from tabulate import tabulate

    for names, longest, needed in _LAYOUTS:
        table = [_cells(row, names, longest) for row in rows]
        room = width - sum(_GAP + _widest(head, table) for head in ("claim", *names))
        if room >= needed:
            break
    else:
        room = 0
    heads = ["claim", *([_STATEMENT] if room > 0 else []), *names]
    if "of" in heads and not any(cells["of"] for cells in table):
        heads.remove("of")
        room += room and _GAP + len("of")
    for cells, texts in zip(table, _statements(rows), strict=True):
        cells[_STATEMENT] = "\n".join(_wrapped(part, room) for part in texts if part and room > 0)
    # With numparse it would write 0.9000 as 0.9.
    text = tabulate(
        [[cells[head] for head in heads] for cells in table],
        headers=heads,
        tablefmt="simple",
        disable_numparse=True,
    )
    return "\n".join(line.rstrip()[:width] for line in text.splitlines())


def _cells(row: Row, names: Sequence[str], longest: int) -> dict[str, str]:
    numbers, common = quantities(row)
    measured = [f"{q.measured} (n={q.n[4:]})" if q.n else q.measured for q in numbers]
    words = [_wrapped(verdict(row).replace(" (", "\n("), 14)]
    if "scale" not in names:
        words.append(row.scale)
    cells = {
        "claim": "\n".join([row.id, *([_wrapped(row.case, 14)] if row.case else [])]),
        "of": "\n".join(_short(q.name, longest) for q in numbers),
        "reported": "\n".join(q.reported for q in numbers),
        "measured": "\n".join([*measured, *([common] if common else [])]),
        "scale": "\n".join([row.scale, _wrapped(row.data, 14)]),
        "device": _wrapped(row.device, 14),
    }
    return cells | {"verdict": "\n".join(words), "verdict at scale": "\n".join(words)}


def _statements(rows: Sequence[Row]) -> list[list[str]]:
    """What stands in the statement's cell: it, unless the row above says it, and why no verdict."""
    texts = []
    before = None
    for row in rows:
        said = before == (row.id, row.title)
        reason = row.reason if row.verdict in _UNEXPLAINED else ""
        texts.append(["" if said else row.title, reason])
        before = (row.id, row.title)
    return texts


def _widest(head: str, table: Sequence[dict[str, str]]) -> int:
    lines = [head, *(line for cells in table for line in cells[head].splitlines())]
    return max(map(len, lines))


def _wrapped(text: str, width: int) -> str:
    return "\n".join(
        line for part in text.splitlines() for line in textwrap.wrap(part, width) or [""]
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def counted(number: int, unit: str) -> str:
    """ "1 seed", "5 seeds"."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
