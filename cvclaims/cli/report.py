"""`cvclaims report RESULTS`: everything that people read in a results folder, written anew."""

import argparse
import contextlib
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cvclaims.cli.output import add_command, show
from cvclaims.text import clean

if TYPE_CHECKING:
    import pytest

    from cvclaims.results.sections import Section

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_to(commands: "Commands") -> None:
    """Add the command."""
    parser = add_command(
        commands, "report", carry_out,
        summary="write the pages, tables and figures of a results folder anew",
        description="Write the page, each claim's page, tables, figures and index.html of a "
        "results folder anew, from its claims.json and its records. No claim is judged: "
        "`pytest --claims-replay` does that. A report's own section comes from the conftest.py of "
        "the project that the folder lies in.",
        statuses={
            0: "all of it is written",
            1: "some of it could not be, or something in the folder is damaged; a line each says "
            "what",
        },
    )  # fmt: skip
    parser.add_argument(
        "results", metavar="RESULTS", type=Path, nargs="?", default=Path("results"),
        help="a results folder (default: results)",
    )  # fmt: skip
    parser.add_argument(
        "--store", type=Path, help="where its records are (default: RESULTS/records)"
    )


def carry_out(options: argparse.Namespace) -> int:
    """Write the folder anew; returns the exit status."""
    from cvclaims.records import Store
    from cvclaims.results.claims_json import CLAIMS
    from cvclaims.results.folder import Results
    from cvclaims.results.output import ResultsError
    from cvclaims.results.writing import write_results

    folder: Path = options.results
    store = Store(options.store or folder / "records", read_only=True)
    if not (folder / CLAIMS).exists():
        raise ResultsError(f"{folder} has no {CLAIMS}: name a folder that pytest has written")
    found = Results.load(folder, store.root)
    sections, problems = own_sections(folder.resolve().parent)
    done = write_results(folder, [], found.runs, lambda: store, sections, anew=True)
    show([f"{folder}: {len(done.written)} files written, {len(done.removed)} removed"])
    problems = list(dict.fromkeys([*found.problems, *problems, *done.problems]))
    for problem in problems:
        print(clean(problem), file=sys.stderr)
    return 1 if problems else 0


class _Sections:
    """A plugin that asks for reports' sections, and ends pytest before it collects anything."""

    def __init__(self) -> None:
        self.found: list[Section] = []

    def pytest_cmdline_main(self, config: "pytest.Config") -> int:
        """Once every conftest.py of the project is known."""
        given = config.hook.pytest_claims_sections()
        self.found = [section for sections in given for section in sections]
        return 0


def own_sections(project: Path) -> "tuple[list[Section], list[str]]":
    """The sections that a project's conftest.py adds, and why they cannot be had."""
    import pytest

    asked = _Sections()
    said = io.StringIO()
    try:
        with contextlib.chdir(project), contextlib.redirect_stderr(said):
            status = pytest.main(
                ["-q", "-p", "no:cacheprovider", "-p", "no:warnings"], plugins=[asked]
            )
    except Exception as error:
        return [], [f"no report has its own section ({type(error).__name__}: {error})"]
    why = said.getvalue().strip().rpartition("\n")[2]
    return asked.found, [f"no report has its own section ({why})"] if status else []
