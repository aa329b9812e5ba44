"""The `cvclaims` command; each of its commands has a file of its own here.

A command's module has `add_to`, which calls `output.add_command`, and a function from its options
to an exit status. What stands in its way it raises as OutputError, or as the error of the room that
found it; the line is written here.
"""

import argparse
from collections.abc import Sequence
from typing import Any

from cvclaims.cli import (
    compare,
    doctor,
    evidence,
    listing,
    merge,
    new,
    plan,
    report,
    show,
    watch,
)
from cvclaims.cli.output import OutputError, refuse
from cvclaims.results.output import ResultsError

_EXIT = """\
exit status: 0 where all is well, 1 where a command found what it looks for, 2 for input that
it cannot use, told in one line; `cvclaims COMMAND --help` says which for each.
"""
COMMANDS = (listing, show, compare, report, merge, plan, evidence, watch, doctor, new)
SHELLS = ("bash", "zsh", "tcsh")


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command; returns its exit status."""
    options = parser().parse_args(argv)
    try:
        status: int = options.carry_out(options)
    except (OutputError, ResultsError) as error:
        return refuse(options.command, error)
    return status


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    made = argparse.ArgumentParser(
        prog="cvclaims",
        description="Begin claims, look at their results, and train what they lack.",
        epilog=_EXIT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--print-completion", choices=SHELLS, action=_Completion, help="print what a shell needs "
        "to complete the command, as in `cvclaims --print-completion bash >> ~/.bash_completion`",
    )  # fmt: skip
    commands = made.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for command in COMMANDS:
        command.add_to(commands)
    return made


class _Completion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: Any, *__: object) -> None:
        import shtab

        print(shtab.complete(parser, shell))
        parser.exit(0)
