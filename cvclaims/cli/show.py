"""`cvclaims show 1.23`: a claim's page in the terminal."""

import argparse
import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from cvclaims.cli.listing import facts
from cvclaims.cli.output import OutputError, add_command, columns, write, write_json

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_to(commands: "Commands") -> None:
    """Add the command."""
    parser = add_command(
        commands, "show", carry_out,
        summary="show all that is known of a claim",
        description="Show a claim's page: statement, reported beside measured with every seed, "
        "what decided, protocol, devices and records. As Markdown where the output goes to no "
        "terminal. Nothing is written.",
        statuses={0: "it is shown", 2: "there is no such claim; one line names the nearest"},
    )  # fmt: skip
    parser.add_argument("claim", metavar="CLAIM", help="its id, such as 1.23")
    parser.add_argument("--case", help="only this case of it")
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="the results folder (results)"
    )
    parser.add_argument("--json", action="store_true", help="all facts, for programs")


def carry_out(options: argparse.Namespace) -> int:
    """Show the claim; returns the exit status."""
    from cvclaims.results.claim_page import claim_page
    from cvclaims.results.folder import Results

    found = Results.load(options.results)
    rows = [view for view in found.claims if view.id == options.claim]
    if not rows:
        raise OutputError(_unknown("claim", options.claim, [view.id for view in found.claims]))
    if options.case is not None:
        known = [view.case for view in rows]
        rows = [view for view in rows if view.case == options.case]
        if not rows:
            raise OutputError(_unknown(f"case of {options.claim}", options.case, known))
    if options.json:
        write_json([facts(view) for view in rows])
    elif width := columns():
        write(_rendered(claim_page(rows, found.records), width))
    else:
        write(claim_page(rows, found.records).rstrip("\n").split("\n"))
    return 0


def _unknown(what: str, asked: str, known: list[str]) -> str:
    near = get_close_matches(asked, dict.fromkeys(known), n=3, cutoff=0.4)
    hint = f"did you mean {', '.join(map(repr, near))}?" if near else "`cvclaims list` lists them"
    return f"no {what} is called {asked!r} there: {hint}"


def _rendered(page: str, width: int) -> list[str]:
    """Markdown as a terminal shows it."""
    from rich.console import Console
    from rich.markdown import Markdown

    page = re.sub(r"<br>", " ", re.sub(r"</?(sub|details|summary)>|<!-- -->", "", page))
    page = re.sub(r"!\[([^\]]*)\]\(\.\./([^)]*)\)", r"\1: \2", page)
    console = Console(width=width)
    with console.capture() as shown:
        console.print(Markdown(page, hyperlinks=False))
    return shown.get().rstrip("\n").split("\n")
