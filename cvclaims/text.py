"""Text from outside, made fit to be shown: names of folders and devices, titles, errors."""

import re

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
