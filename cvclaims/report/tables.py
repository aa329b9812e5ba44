"""Rows as tables: in Markdown for the page, and plain for a terminal."""

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cvclaims.report.quantities import NONE, side_by_side
from cvclaims.report.rows import Row
from cvclaims.text import clean

# A symbol for the eye that scans a column; the word beside it says the same.
SYMBOLS: Mapping[str, str] = {
    "supported": "✓",
    "refuted": "✗",
    "inconclusive": "?",
    "error": "!",
    "ran": "·",
    "not evaluated": "–",
}

# Verdicts without numbers: the table itself has to say why.
_UNEXPLAINED = ("error", "not evaluated")
# tabulate's "simple" sets so many spaces between columns, and a column is so much wider than its
# head at least.
_GAP, _PADDING = 2, 2
# From wide terminals to narrow ones: the columns beside the claim and its statement, the longest
# name written out, and the room that the statement needs; with 0 it stands on a line of its own.
_NUMBERS = ("of", "reported", "measured", "verdict")
_LAYOUTS = (
    ((*_NUMBERS, "scale", "device"), 30, 28),
    ((*_NUMBERS, "scale"), 24, 24),
    (_NUMBERS, 16, 22),
    (_NUMBERS, 24, 0),
    (_NUMBERS, 12, 0),
    (("verdict", "measured"), 0, 0),
)


def verdict(row: Row) -> str:
    """The verdict in words, and what it means for a disputed claim."""
    if not row.disputed:
        return row.verdict
    meaning = {"refuted": "disputed, as expected", "supported": "disputed: a surprise"}
    return f"{row.verdict} ({meaning.get(row.verdict, 'disputed')})"


def beside(row: Row) -> list[str]:
    """What stands beside a verdict and changes none; see `verdict.beside`."""
    size = f"size: {row.size}" if row.size else ""
    own = f"its own runs: {row.own_runs}" if row.own_runs else ""
    return [text for text in (size, own) if text]


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
    values = sizes.pop()
    if not row.evidence:
        return lines, counted(values, "value")
    # A sample pooled from several recipes has more values than any of them has seeds.
    seeds = max(map(len, row.evidence.values()))
    return lines, counted(values, "seed" if values <= seeds else "run")


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
        measured.append(_small(common))
    reported = [_named(q.name, q.reported) for q in numbers] if row.reported else []
    statement = [] if same_statement else [plain(row.title)]
    statement.append(_small(plain(_short(_why(row), 300))))
    return [
        _stack([f"**{plain(row.id)}**", plain(row.case)]),
        _stack(statement),
        _stack(reported) or NONE,
        _stack(measured if row.measured else []) or NONE,
        _stack(
            [
                _unbroken(f"{SYMBOLS[row.verdict]} ") + verdict(row),
                *(_small(text) for text in (*beside(row), _failure(row))),
            ]
        ),
        _stack([row.scale, _small(plain(row.data))]),
        _small(plain(row.device)) or NONE,
    ]


def _why(row: Row) -> str:
    """The decision in numbers, or what is missing for one."""
    told = facts(row.reason)
    if told or row.verdict != "not evaluated" or not row.recipes:
        return told
    return f"no record at {row.scale} scale: not trained so far"


def _failure(row: Row) -> str:
    """Why the last session could not judge the claim again."""
    why = facts(row.failure) or "it does not say why"
    return f"last try failed: {plain(_short(why, 200))}" if row.failure else ""


def _named(name: str, *numbers: str) -> str:
    """One line of a cell: "name 0.98 ± 0.01", the name in small print.

    It must not break, or the lines of two cells would no longer stand side by side; a name too
    long for that has to.
    """
    shown = _unbroken(" ".join(part for part in numbers if part))
    if not name:
        return shown
    gap = "\u00a0" if len(name) <= 24 else " "
    return f"{_small(plain(name))}{gap}{shown}"


def _small(text: str) -> str:
    return f"<sub>{text}</sub>" if text else ""


def _stack(parts: Iterable[str]) -> str:
    return "<br>".join(part for part in parts if part)


def _unbroken(text: str) -> str:
    return text.replace(" ", "\u00a0")


def plain(text: str) -> str:
    """Text as it is, whatever Markdown, HTML or GitHub would make of it: no link, no picture."""
    text = clean(text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # GitHub makes links of addresses, people and issues; a comment in their midst keeps them text.
    text = re.sub(r"(?i)@(?=\w)|#(?=\d)|\bwww(?=\.)|:(?=//)", r"\g<0><!-- -->", text)
    text = text.replace("$", "&#36;")
    text = re.sub(r"([\\`*|~\[\]])", r"\\\1", text)
    # Inside a word an underscore is one; at its edge it would begin or end emphasis.
    text = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)
    # At the start of a line these would make a heading, a list or a rule.
    return re.sub(r"^(?:[-+=#]|\d+[.)](?=\s|$))", _escaped_last, text)


def _escaped_last(found: re.Match[str]) -> str:
    return f"{found[0][:-1]}\\{found[0][-1]}"


def facts(reason: str) -> str:
    """A reason without advice on options: who reads the page is not in a session."""
    return re.sub(r"(^|[;:,])[^;:]*--claims-[^;]*", "", reason).strip(" ;:,")


def terminal_table(rows: Sequence[Row], width: int) -> str:
    """The rows as a plain table, no line of it wider than `width`.

    A narrow terminal loses the device first, then the data; below about 100 columns each
    statement stands on a line of its own above its numbers.
    """
    if not rows:
        return ""
    names, table, room = _layout(rows, width)
    heads = ["claim", *(["statement"] if room else []), *names]
    if "of" in heads and not any(cells["of"] for cells in table):
        heads.remove("of")
        room += room and _GAP + _PADDING + len("of")
    statements = _statements(rows, room or width, with_id=not room)
    for cells, row, statement in zip(table, rows, statements, strict=True):
        cells["statement"] = statement
        if not room:
            cells["claim"] = _wrapped(row.case, 14)
    lines = _simple([[cells[head] for head in heads] for cells in table], heads)
    if not room:
        heights = [_height(cells, heads) for cells in table]
        lines = list(_between(lines, statements, heights))
    return "\n".join(line[:width].rstrip() for line in lines)


def _layout(rows: Sequence[Row], width: int) -> tuple[tuple[str, ...], list[dict[str, str]], int]:
    """The first layout that fits: its columns, the rows' cells, and the statement's room or 0."""
    for names, longest, needed in _LAYOUTS:
        table = [_cells(row, names, longest) for row in rows]
        room = width - sum(_GAP + _widest(name, table) for name in ("claim", *names))
        if room >= (needed or -_GAP):
            break
    return names, table, room if needed else 0


def _simple(table: Sequence[Sequence[str]], heads: Sequence[str]) -> list[str]:
    from tabulate import tabulate

    # With numparse it would write 0.9000 as 0.9.
    return tabulate(table, heads, tablefmt="simple", disable_numparse=True).splitlines()


def _between(
    lines: Sequence[str], statements: Sequence[str], heights: Sequence[int]
) -> Iterable[str]:
    """The lines of a table, with each row's statement above it."""
    yield from lines[:2]
    start = 2
    for statement, height in zip(statements, heights, strict=True):
        yield from statement.splitlines()
        yield from lines[start : start + height]
        start += height


def _height(cells: Mapping[str, str], heads: Iterable[str]) -> int:
    return max(1, *(len(cells[head].splitlines()) for head in heads))


def _cells(row: Row, names: Sequence[str], longest: int) -> dict[str, str]:
    numbers, common = quantities(row)
    measured = [f"{q.measured} (n={q.n[4:]})" if q.n else q.measured for q in numbers]
    words = [_wrapped(verdict(row).replace(" (", "\n("), 14)]
    # Here there is no room for what is so of most rows.
    words += [_wrapped(text, 14) for text in beside(row) if not text.endswith("one run")]
    if "scale" not in names:
        words.append(row.scale)
    return {
        "claim": "\n".join(part for part in (row.id, _wrapped(row.case, 14)) if part),
        "of": "\n".join(_short(q.name, longest) for q in numbers),
        "reported": "\n".join(q.reported for q in numbers) if row.reported else "",
        "measured": "\n".join([*measured, common]).rstrip() if row.measured else "",
        "verdict": "\n".join(words),
        "scale": "\n".join(part for part in (row.scale, _wrapped(row.data, 14)) if part),
        "device": _wrapped(row.device, 14),
    }


def _statements(rows: Sequence[Row], width: int, *, with_id: bool) -> list[str]:
    """Each row's statement, unless the row above says it, and why it has no verdict."""
    texts = []
    before = None
    for row in rows:
        title = f"{row.id}  {row.title}" if with_id else row.title
        parts = [] if before == (row.id, row.title) else [title]
        parts += [row.reason] if row.verdict in _UNEXPLAINED else []
        parts += [f"last try failed: {row.failure}"] if row.failure else []
        texts.append("\n".join(_wrapped(part, width) for part in parts))
        before = (row.id, row.title)
    return texts


def _widest(name: str, table: Sequence[Mapping[str, str]]) -> int:
    lines = (len(line) for cells in table for line in cells[name].splitlines())
    return max(_PADDING + len(name), *lines, 0)


def _wrapped(text: str, width: int) -> str:
    lines = (textwrap.wrap(part, max(1, width)) for part in text.splitlines())
    return "\n".join(line for part in lines for line in part)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def counted(number: int, unit: str) -> str:
    """ "1 seed", "5 seeds"."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
