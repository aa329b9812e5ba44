"""`cvclaims compare A B`: which verdicts of two results folders agree, and which do not."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cvclaims.cli.output import OutputError, refuse, show
from cvclaims.results.changes import Changes, changes, told
from cvclaims.results.claims_json import CLAIMS, read_claims
from cvclaims.results.output import ResultsError
from cvclaims.results.view import ClaimView

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_EXIT = """\
exit status:
  0  no claim that A supports has fallen in B
  1  one has: it is refuted, inconclusive or an error there, or B does not have it
  2  A or B cannot be read, or the answer cannot be printed; one line says why
"""


def add_to(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "compare",
        help="compare the verdicts of two results folders",
        description="Count the verdicts that agree, and show each that differs with the numbers "
        "of both sides. Nothing is written.",
        epilog=_EXIT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in ("A", "B"):
        parser.add_argument(name, type=Path, help=f"a results folder, or its {CLAIMS}")
    parser.set_defaults(carry_out=carry_out)


def carry_out(options: argparse.Namespace) -> int:
    """Print the comparison; returns the exit status."""
    try:
        found = changes(*(_read(path) for path in (options.A, options.B)))
        show(_lines(found, str(options.A), str(options.B)))
    except (ResultsError, OutputError) as error:
        return refuse("compare", error)
    return 1 if found.fallen else 0


def _read(path: Path) -> list[ClaimView]:
    """The rows of a results folder; ResultsError where it cannot be used whole."""
    is_folder = os.path.isdir(path)
    file = path / CLAIMS if is_folder else path
    if not os.path.lexists(file):
        what = f"has no {CLAIMS}" if is_folder else "does not exist"
        raise ResultsError(f"{path} {what}: name a folder that --claims-results wrote")
    rows, damage = read_claims(file)
    if damage:
        raise ResultsError(
            f"{file} is damaged ({damage}): restore it, or write it anew with --claims-replay"
        )
    return rows


def _lines(found: Changes, a: str, b: str) -> Iterator[str]:
    compared = found.agreeing + len(found.differing) + len(found.missing)
    yield f"{found.agreeing} of {compared} verdicts agree: {a} -> {b}"
    for pair in found.differing:
        yield told(*pair)
    for row in found.missing:
        yield f"{' '.join(filter(None, (row.id, row.case)))}: supported -> not there"
    for what, counts in (("only", found.only), ("not evaluated", found.not_evaluated)):
        for count, side in zip(counts, (a, b), strict=True):
            if count:
                yield f"{what} in {side}: {count}"
