"""Claims as a plain table for a terminal."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from cvclaims.results.numbers import quantities
from cvclaims.results.view import ClaimView
from cvclaims.text import shortened
from cvclaims.verdict.decision import Verdict, in_words

# Verdicts without numbers: the table itself has to say why.
_UNEXPLAINED = (Verdict.ERROR, Verdict.NOT_EVALUATED)
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


def terminal_table(rows: Sequence[ClaimView], width: int) -> str:
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


def _layout(
    rows: Sequence[ClaimView], width: int
) -> tuple[tuple[str, ...], list[dict[str, str]], int]:
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


def _cells(row: ClaimView, names: Sequence[str], longest: int) -> dict[str, str]:
    numbers, common = quantities(row)
    measured = [f"{q.measured} (n={q.n[4:]})" if q.n else q.measured for q in numbers]
    words = [_wrapped(in_words(row.verdict, row.disputed).replace(" (", "\n("), 14)]
    # Here there is no room for what is so of most rows.
    words += [_wrapped(text, 14) for text in row.beside if not text.endswith("one run")]
    if "scale" not in names:
        words.append(row.scale)
    return {
        "claim": "\n".join(part for part in (row.id, _wrapped(row.case, 14)) if part),
        "of": "\n".join(shortened(q.name, longest) for q in numbers),
        "reported": "\n".join(q.reported for q in numbers) if row.reported else "",
        "measured": "\n".join([*measured, common]).rstrip() if row.measured else "",
        "verdict": "\n".join(words),
        "scale": "\n".join(part for part in (row.scale, _wrapped(row.data, 14)) if part),
        "device": _wrapped(row.device, 14),
    }


def _statements(rows: Sequence[ClaimView], width: int, *, with_id: bool) -> list[str]:
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
