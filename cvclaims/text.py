"""Text from outside, made fit to be shown: names of folders and devices, titles, errors."""

import re
import unicodedata
from collections.abc import Iterator

# Python counts the separators \x1c to \x1f as white space; they are shown as what they are.
_SPACE = re.compile(r"[^\S\x1c-\x1f]+")


def clean(text: str) -> str:
    r"""The text on one line, in characters that show and encode anywhere.

    Runs of white space, newlines among them, become one space. Whatever else would steer a
    terminal, reorder a line, hide, or not encode becomes a visible escape such as `\x1b`: control
    and format characters, bidirectional marks, lone surrogates, private and unassigned ones.
    Letters of any script, combining marks and emoji stay. Cleaning twice changes nothing.
    """
    text = _SPACE.sub(" ", text).strip(" ")
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


# What the tables are written with, for a terminal that has ASCII alone.
_PLAIN = str.maketrans(
    {"–": "-", "—": "-", "−": "-", "…": "...", "±": "+-", "×": "x", "→": "->", "✓": "+", "✗": "x"}
    | {"≤": "<=", "≥": ">=", "·": "-", "\u00a0": " "}
)


def encodable(text: str, encoding: str) -> str:
    """The text as far as the encoding goes, the rest by what is nearest, or by escapes."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text


def cells(text: str) -> int:
    """How many columns of a terminal a printable text takes: wide letters two, marks none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fit(text: str, width: int) -> str:
    """The text's beginning, as far as so many columns have room for it."""
    taken = 0
    for place, char in enumerate(text):
        taken += _cells(char)
        if taken > width:
            return text[:place]
    return text


def shortened(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis where it has more letters than `most`."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text in so many columns, at their left or right."""
    space = " " * (width - cells(text))
    return space + text if right else text + space


def wrapped(text: str, width: int, indent: str) -> list[str]:
    """Lines of so many columns, broken at spaces and beside wide letters, as theirs are written.

    A longer word stays whole; all lines but the first are indented.
    """
    lines: list[str] = []
    line = ""
    for space, word in _words(text):
        if line and cells(f"{line}{space}{word}") > width:
            lines.append(line)
            line = indent + word
        else:
            line += space + word
    return [*lines, line] if line else lines


def _words(text: str) -> Iterator[tuple[str, str]]:
    """What must not be broken, each with the space before it."""
    space = word = ""
    wide = False
    for char in text:
        width = _cells(char)
        if word and width and (wide or width == 2 or char.isspace()):
            yield space, word
            space = word = ""
        if char.isspace():
            space += char
        else:
            word += char
        wide = width == 2 if width else wide  # a mark stays with its letter
    if word:
        yield space, word
