"""Lines for a terminal: no wider than it is, in characters that its encoding has."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from cvclaims.text import cells, encodable, fit, padded, wrapped

_COLOURS: Mapping[str, str] = {
    "supported": "green",
    "refuted": "red",
    "error": "red",
    "inconclusive": "yellow",
}


@dataclass(frozen=True)
class Line:
    """A line of text; a verdict in it stands after `lead` and is coloured, or all of it is."""

    lead: str
    verdict: str = ""
    rest: str = ""
    colour: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.lead}{self.verdict}{self.rest}"


@dataclass(frozen=True)
class Sheet:
    """What is written on: so many columns, in an encoding."""

    width: int = 80
    encoding: str = "utf-8"

    def spell(self, text: str) -> str:
        """A line as it can be shown: whatever the encoding lacks is spelled out."""
        if not text.isprintable():
            text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
        return encodable(text, self.encoding)

    def cut(self, text: str, width: int | None = None) -> str:
        """A line no wider than the sheet, or than `width`."""
        most = self.width if width is None else width
        text, more = self.spell(text), self.spell("…")
        return text if cells(text) <= most else fit(text, most - cells(more)).rstrip() + more

    def wrap(self, text: str, indent: str = "  ") -> list[str]:
        """A text in lines no wider than the sheet; all but the first are indented."""
        return wrapped(self.spell(text), self.width, indent)


def sheet_of(config: pytest.Config) -> Sheet:
    """The terminal that a session writes to; 80 columns where the width is unknown."""
    return Sheet(config.get_terminal_writer().fullwidth, sys.stdout.encoding or "utf-8")


def write(terminal: pytest.TerminalReporter, lines: Iterable[Line]) -> None:
    """Write lines one by one, with colours where pytest has them on."""
    for line in lines:
        terminal.write(line.lead, **_markup(line.colour))
        terminal.write(line.verdict, **_markup(_COLOURS.get(line.verdict, "")))
        terminal.write_line(line.rest)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns two spaces apart, the first to the left and all others to the right."""
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            padded(cell, width, right=place > 0)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _markup(colour: str) -> dict[str, bool]:
    return {colour: True} if colour else {}
