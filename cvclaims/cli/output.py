"""What every command prints: lines that fit, in what the terminal can show."""

import os
import shutil
import sys
from collections.abc import Iterable
from typing import TextIO

from cvclaims.text import clean, encodable, wrapped


class OutputError(RuntimeError):
    """What a command found cannot be printed; the message is one line."""


def show(lines: Iterable[str]) -> None:
    """Print lines; on a terminal each is broken to its width, elsewhere they are whole.

    Raises OutputError where they cannot be printed.
    """
    width = columns()
    cleaned = map(clean, lines)
    write("\n".join(wrapped(line, width, "  ")) if width else line for line in cleaned)


def columns() -> int | None:
    """How wide the terminal is; None where the output goes elsewhere."""
    there = sys.stdout is not None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if there else None


def write(lines: Iterable[str]) -> None:
    """Print lines as they are, as far as the encoding goes; raises OutputError."""
    if sys.stdout is None:
        raise OutputError("standard output is closed: redirect it to a file")
    try:
        for line in lines:
            print(encodable(line, sys.stdout.encoding or "utf-8"))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads the lines has had enough
        _drop(sys.stdout)
    except OSError as error:
        _drop(sys.stdout)
        raise OutputError(f"standard output cannot be written ({error.strerror})") from None


def _drop(stream: TextIO) -> None:
    """Let what is still to be written go nowhere, so that the interpreter ends without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def refuse(command: str, error: Exception) -> int:
    """Say in one line on stderr why a command cannot be carried out; returns its exit status."""
    if sys.stderr is not None:
        try:
            print(_fit(f"cvclaims {command}: {error}", sys.stderr), file=sys.stderr, flush=True)
        except OSError:  # nowhere to say it
            _drop(sys.stderr)
    return 2


def _fit(line: str, stream: TextIO) -> str:
    return encodable(clean(line), stream.encoding or "utf-8")
