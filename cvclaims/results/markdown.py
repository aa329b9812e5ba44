"""Claims as a Markdown table, and what of it other pages share."""

import re
from collections.abc import Iterable, Mapping, Sequence

from cvclaims.results.numbers import NONE, quantities
from cvclaims.results.view import ClaimView, Place
from cvclaims.text import clean, shortened
from cvclaims.verdict.decision import SYMBOLS, Verdict, in_words


def claims_table(rows: Sequence[ClaimView], pages: Mapping[Place, str]) -> str:
    """The rows of one report as a GitHub table, in the order given, each with its claim's page.

    A statement is not said again for the further cases of its claim.
    """
    lines, before = [], ("", "")
    for row in rows:
        same = before == (row.id, row.title)
        lines.append(_cells(row, same, pages.get(row.place, "")))
        before = (row.id, row.title)
    return table(["claim", "statement", "reported", "measured", "verdict", "scale"], lines)


def _cells(row: ClaimView, same_statement: bool, page: str) -> list[str]:
    numbers, common = quantities(row)
    measured = [_named(q.name, q.measured, q.n and f"({q.n})") for q in numbers]
    if common and row.measured:
        measured.append(_small(common))
    reported = [_named(q.name, q.reported) for q in numbers] if row.reported else []
    timed = f"on a {row.timed_on}" if row.timed_on else ""
    case = ", ".join(part for part in (row.case, timed) if part)
    return [
        _stack([linked(f"**{plain(row.id)}**", page), plain(case)]),
        "" if same_statement else plain(shortened(row.title, 300)),
        _stack(reported) or NONE,
        _stack(measured if row.measured else []) or NONE,
        _stack([verdict_of(row), _small(_failure(row))]),
        row.scale,
    ]


def linked(text: str, page: str) -> str:
    """Text, or a link to a page; its file's name is one of ours, of letters, digits and dots."""
    return f"[{text}]({page})" if page else text


def table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A GitHub table of cells that are Markdown already."""
    rows = [heads, ["---"] * len(heads), *lines]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def verdict_of(row: ClaimView) -> str:
    """Symbol and word, and what it means for a disputed claim."""
    return _unbroken(f"{SYMBOLS[row.verdict]} ") + in_words(row.verdict, row.disputed)


def rule_of(row: ClaimView) -> str:
    """The rule that judged it."""
    return row.rule or "none was reached"


def why(row: ClaimView) -> str:
    """The decision in numbers, or what is missing for one."""
    told = facts(row.reason)
    if told or row.verdict != Verdict.NOT_EVALUATED or not row.recipes:
        return told
    return f"no record at {row.scale} scale: not trained so far"


def _failure(row: ClaimView) -> str:
    """Why the last session could not judge the claim again."""
    why = facts(row.failure) or "it does not say why"
    return f"last try failed: {plain(shortened(why, 200))}" if row.failure else ""


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
