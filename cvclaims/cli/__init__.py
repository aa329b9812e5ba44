"""The `cvclaims` command; each of its commands has a file of its own here."""

import argparse
from collections.abc import Sequence

from cvclaims.cli import compare, evidence, new, report

_EXIT = """\
exit status: 0 where all is well, 1 where a command found what it looks for, 2 for input that
it cannot use, told in one line; `cvclaims COMMAND --help` says which for each.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="cvclaims",
        description="Begin claims, look at their results, and train what they lack.",
        epilog=_EXIT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    compare.add_to(commands)
    evidence.add_to(commands)
    new.add_to(commands)
    report.add_to(commands)
    options = parser.parse_args(argv)
    status: int = options.carry_out(options)
    return status
