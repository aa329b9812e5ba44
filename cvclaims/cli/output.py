"""What every command shares: how it is added, and lines that fit, as the terminal can show them."""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TextIO

from cvclaims.text import clean, encodable, wrapped

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


class OutputError(RuntimeError):
    """What a command was asked for cannot be had or printed; the message is one line."""


def add_command(
    commands: "Commands",
    name: str,
    carry_out: Callable[[argparse.Namespace], int],
    *,
    summary: str,
    description: str,
    statuses: dict[int, str],
) -> argparse.ArgumentParser:
    """Add a command; returns its parser, for its own arguments.

    `statuses` says what each exit status means. That of 2, for input that cannot be used, goes
    without saying where nothing is said of it.
    """
    meant = {2: "the input cannot be used, or the answer not be printed; one line says why"}
    lines = [f"  {status}  {means}" for status, means in sorted((meant | statuses).items())]
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog="\n".join(["exit status:", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(carry_out=carry_out)
    return parser


def write_json(facts: Any) -> None:
    """Print facts for programs."""
    write(json.dumps(facts, ensure_ascii=False, indent=1).split("\n"))


def show(lines: Iterable[str]) -> bool:
    """Print lines; on a terminal each is broken to its width, elsewhere they are whole.

    Returns whether anybody reads on; raises OutputError where they cannot be printed.
    """
    width = columns()
    cleaned = map(clean, lines)
    return write("\n".join(wrapped(line, width, "  ")) if width else line for line in cleaned)


def columns() -> int | None:
    """How wide the terminal is; None where the output goes elsewhere."""
    there = sys.stdout is not None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if there else None


def write(lines: Iterable[str]) -> bool:
    """Print lines as they are, as far as the encoding goes; raises OutputError.

    Returns whether anybody reads on: not where the pipe was closed.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed: redirect it to a file")
    try:
        for line in lines:
            print(encodable(line, sys.stdout.encoding or "utf-8"))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads the lines has had enough
        _drop(sys.stdout)
        return False
    except OSError as error:
        _drop(sys.stdout)
        raise OutputError(f"standard output cannot be written ({error.strerror})") from None
    return True


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
