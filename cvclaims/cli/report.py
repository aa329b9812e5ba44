"""`cvclaims report RESULTS`: what a results folder holds, as a table, Markdown, CSV or LaTeX."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cvclaims.cli.output import OutputError, columns, refuse, write
from cvclaims.text import clean

if TYPE_CHECKING:
    from cvclaims.results.view import ClaimView

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_EXIT = """\
exit status:
  0  all of it is printed
  1  what is sound is printed; stderr says what is damaged
  2  RESULTS cannot be read, or nothing can be printed; one line says why
"""


def add_to(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "report",
        help="print the claims of a results folder as a table, Markdown, CSV or LaTeX",
        description="Print what a results folder holds: every claim with its numbers and verdict. "
        "CSV has all that is known of each, a line a quantity. Nothing is written.",
        epilog=_EXIT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("results", metavar="RESULTS", type=Path, help="a results folder")
    parser.add_argument(
        "--format", choices=FORMATS, default="table", help="how to print them (default: table)"
    )
    parser.set_defaults(carry_out=carry_out)


def carry_out(options: argparse.Namespace) -> int:
    """Print the claims; returns the exit status."""
    from cvclaims.results.folder import Results
    from cvclaims.results.output import ResultsError

    try:
        found = Results.load(options.results)
        write(FORMATS[options.format](found.claims).rstrip("\n").split("\n"))
    except (ResultsError, OutputError) as error:
        return refuse("report", error)
    for problem in found.problems:
        print(clean(problem), file=sys.stderr)
    return 1 if found.problems else 0


def _table(views: "Sequence[ClaimView]") -> str:
    from cvclaims.results.terminal import terminal_table

    return terminal_table(views, columns() or 160)


def _markdown(views: "Sequence[ClaimView]") -> str:
    from cvclaims.results.page import compose

    return compose(views, [])


def _csv(views: "Sequence[ClaimView]") -> str:
    from cvclaims.results.csv import csv_table

    return csv_table(views)


def _latex(views: "Sequence[ClaimView]") -> str:
    from cvclaims.results.latex import latex_table

    return latex_table(views)


FORMATS: Mapping[str, "Callable[[Sequence[ClaimView]], str]"] = {
    "table": _table,
    "markdown": _markdown,
    "csv": _csv,
    "latex": _latex,
}
