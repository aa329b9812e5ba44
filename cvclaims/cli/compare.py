"""`cvclaims compare A B`: which verdicts of two results agree, and which do not."""

import argparse
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvclaims.cli.output import add_command, show, write_json
from cvclaims.results.changes import Changes, changes, markdown, told
from cvclaims.results.claims_json import CLAIMS, parsed, read_claims
from cvclaims.results.output import ResultsError
from cvclaims.results.view import ClaimView

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_to(commands: "Commands") -> None:
    """Add the command."""
    parser = add_command(
        commands, "compare", carry_out,
        summary="compare two results folders, or one with a git revision",
        description="Count the verdicts that agree, and show each that differs with the numbers "
        "of both sides; and, where verdicts agree, the numbers of which each mean lies beyond the "
        "other's 95 %% interval. Nothing is written.",
        statuses={
            0: "no claim that A supports has fallen in B",
            1: "one has: it is refuted, inconclusive or an error there, or B does not have it",
            2: "A or B cannot be read, or the answer cannot be printed; one line says why",
        },
    )  # fmt: skip
    for name in ("A", "B"):
        parser.add_argument(
            name,
            help=f"a results folder, its {CLAIMS}, or a git revision such as main:results",
        )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="for programs")
    what.add_argument("--markdown", action="store_true", help="for a pull request's comment")


def carry_out(options: argparse.Namespace) -> int:
    """Print the comparison; returns the exit status."""
    found = changes(*(_read(side) for side in (options.A, options.B)))
    if options.json:
        write_json(_facts(found))
    elif options.markdown:
        show(markdown(found, options.A, options.B).rstrip("\n").split("\n"))
    else:
        show(_lines(found, options.A, options.B))
    return 1 if found.fallen else 0


def _read(side: str) -> list[ClaimView]:
    """The rows of one side; ResultsError where it cannot be used whole."""
    path = Path(side)
    if os.path.lexists(path):
        file = path / CLAIMS if path.is_dir() else path
        if not os.path.lexists(file):
            raise ResultsError(f"{path} has no {CLAIMS}: name a folder that --claims-results wrote")
        rows, damage = read_claims(file)
    else:
        file = Path(f"{side}:{CLAIMS}")
        rows, damage = parsed(file, _of_revision(side))
    if damage:
        raise ResultsError(
            f"{file} is damaged ({damage}): restore it, or write it anew with --claims-replay"
        )
    return rows


def _of_revision(side: str) -> bytes:
    """The table as git has it at a revision: `main`, or with its folder, `main:my-results`."""
    revision, _, folder = side.partition(":")
    file = f"{revision}:./{folder or 'results'}/{CLAIMS}"
    if side.startswith("-"):
        raise ResultsError(f"{side} does not exist: name a folder or a git revision")
    try:
        done = subprocess.run(["git", "show", file], capture_output=True, check=False)
    except OSError as error:
        raise ResultsError(f"{side} does not exist, and git cannot be asked ({error})") from None
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ResultsError(
            f"{side} does not exist, and is no git revision with {folder or 'results'}/{CLAIMS} "
            f"({why}): name a folder that --claims-results wrote"
        )
    return done.stdout


def _lines(found: Changes, a: str, b: str) -> Iterator[str]:
    yield f"{found.agreeing} of {found.compared} verdicts agree: {a} -> {b}"
    for pair in found.differing:
        yield told(*pair)
    for row in found.missing:
        yield f"{' '.join(filter(None, (row.id, row.case)))}: supported -> not there"
    if found.moved:
        yield f"{len(found.moved)} agree with numbers beyond each other's intervals:"
        for pair in found.moved:
            yield told(*pair)
    for what, counts in (("only", found.only), ("not evaluated", found.not_evaluated)):
        for count, side in zip(counts, (a, b), strict=True):
            if count:
                yield f"{what} in {side}: {count}"


def _facts(found: Changes) -> dict[str, Any]:
    def sides(pairs: Any) -> list[dict[str, Any]]:
        return [
            {
                "claim": a.id,
                "case": a.case,
                "report": a.report,
                "before": {"verdict": a.verdict, "scale": a.scale, "measured": dict(a.measured)},
                "after": {"verdict": b.verdict, "scale": b.scale, "measured": dict(b.measured)},
            }
            for a, b in pairs
        ]

    return {
        "agreeing": found.agreeing,
        "differing": sides(found.differing),
        "moved": sides(found.moved),
        "missing": [{"claim": row.id, "case": row.case} for row in found.missing],
        "fallen": [{"claim": row.id, "case": row.case} for row in found.fallen],
        "only": list(found.only),
        "not evaluated": list(found.not_evaluated),
    }
