"""Rows in a terminal: a table that keeps to its width, and a session in one line."""

import textwrap
from collections.abc import Sequence

from cvclaims.report.rows import VERDICTS, Row
from cvclaims.report.tables import quantities, verdict

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


def summary(rows: Sequence[Row]) -> str:
    """One line for the end of a session: "3 supported, 2 refuted (1 disputed, as expected), …"."""
    counts = {name: sum(row.verdict == name for row in rows) for name in VERDICTS}
    parts = []
    for name, count in counts.items():
        disputed = sum(row.verdict == name and bool(row.disputed) for row in rows)
        meaning = {"refuted": "as expected", "supported": "a surprise"}.get(name)
        note = f" ({disputed} disputed, {meaning})" if disputed and meaning else ""
        parts += [f"{count} {name}{note}"] if count else []
    return ", ".join(parts) or "no claims"
