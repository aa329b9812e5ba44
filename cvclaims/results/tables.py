"""Each report's table as files for programs and papers: CSV and LaTeX."""

from collections.abc import Sequence

from cvclaims.results.csv import csv_table
from cvclaims.results.figures.groups import slug
from cvclaims.results.latex import latex_table
from cvclaims.results.view import ELSEWHERE, ClaimView, by_report

FOLDER = "tables"


def tables_of(report: str) -> dict[str, str]:
    """The files of a report's table by kind, relative to the results folder."""
    stem = f"{FOLDER}/{slug(report)}"
    return {"CSV": f"{stem}.csv", "LaTeX": f"{stem}.tex"}


def table_files(rows: Sequence[ClaimView]) -> set[str]:
    """The file of every table."""
    return {file for report in by_report(rows) for file in tables_of(report).values()}


def tables(rows: Sequence[ClaimView]) -> dict[str, bytes]:
    """The content of every table by its file; of what stands in `claims.json` alone."""
    made: dict[str, bytes] = {}
    for report, part in by_report(rows).items():
        csv, latex = tables_of(report).values()
        made |= {csv: csv_table(part, ELSEWHERE).encode(), latex: latex_table(part).encode()}
    return made
