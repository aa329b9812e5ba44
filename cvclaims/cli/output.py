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
    if sys.stdout is None:
        raise OutputError("standard output is closed: redirect it to a file")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    try:
        for line in lines:
            line = _fit(line, sys.stdout)
            print("\n".join(wrapped(line, width, "  ")) if width else line)
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
