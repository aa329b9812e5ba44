"""`cvclaims list`: the claims of a results folder, with their verdicts, filtered."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvclaims.cli.output import add_command, columns, write, write_json
from cvclaims.text import clean

if TYPE_CHECKING:
    from cvclaims.results.view import ClaimView

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

WIDE = 160  # where the output goes to no terminal


def add_to(commands: "Commands") -> None:
    """Add the command."""
    parser = add_command(
        commands, "list", carry_out,
        summary="list claims with their verdicts, as a table, CSV, LaTeX or JSON",
        description="Print the claims of a results folder with their numbers and verdicts. CSV "
        "and JSON have all that is known of each. Nothing is written.",
        statuses={0: "they are listed", 1: "something there is damaged: the rest is listed"},
    )  # fmt: skip
    parser.add_argument(
        "results", metavar="RESULTS", type=Path, nargs="?", default=Path("results"),
        help="a results folder (default: results)",
    )  # fmt: skip
    parser.add_argument("--report", help="only of this report: its number or its short name")
    parser.add_argument("--verdict", help="only with this verdict, such as refuted")
    parser.add_argument("--scale", help="only at this scale: reduced or full")
    parser.add_argument("--device", help="only on devices that have this in their name")
    parser.add_argument("--text", help="only claims that have these words anywhere")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--format", choices=FORMATS, default="table", help="default: table")
    what.add_argument("--json", dest="format", action="store_const", const="json")


def carry_out(options: argparse.Namespace) -> int:
    """Print the claims; returns the exit status."""
    from cvclaims.results.folder import Results

    found = Results.load(options.results)
    wanted = [view for view in found.claims if _fits(view, options)]
    FORMATS[options.format](wanted)
    for problem in found.problems:
        print(clean(problem), file=sys.stderr)
    return 1 if found.problems else 0


def _fits(view: "ClaimView", options: argparse.Namespace) -> bool:
    words = str(options.text or "").lower().split()
    texts = (view.id, view.case, view.title, view.report_title, view.source, view.data, view.reason)
    text = " ".join(texts).lower()
    return (
        options.report in (None, view.report, str(view.report_number))
        and options.verdict in (None, view.verdict)
        and options.scale in (None, view.scale)
        and (options.device or "").lower() in view.device.lower()
        and all(word in text for word in words)
    )


def facts(view: "ClaimView") -> dict[str, Any]:
    """All that is known of a claim, as JSON types."""
    return {**view.to_dict(), "versions": dict(view.versions), "figures": list(view.figures)}


def _table(views: "Sequence[ClaimView]") -> None:
    from cvclaims.results.terminal import terminal_table

    write(terminal_table(views, columns() or WIDE).split("\n"))


def _csv(views: "Sequence[ClaimView]") -> None:
    from cvclaims.results.csv import csv_table

    write(csv_table(views).rstrip("\n").split("\n"))


def _latex(views: "Sequence[ClaimView]") -> None:
    from cvclaims.results.latex import latex_table

    write(latex_table(views).rstrip("\n").split("\n"))


def _json(views: "Sequence[ClaimView]") -> None:
    write_json([facts(view) for view in views])


FORMATS: Mapping[str, "Callable[[Sequence[ClaimView]], None]"] = {
    "table": _table,
    "csv": _csv,
    "latex": _latex,
    "json": _json,
}
