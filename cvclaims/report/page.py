"""The results folder: claims.json for programs, README.md and figures for readers."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from cvclaims.files import check_writable
from cvclaims.locks import Lock, LockError
from cvclaims.report import files, grid
from cvclaims.report.figures import (
    KINDS,
    MARKED,
    Drawn,
    Picture,
    Records,
    draw_figures,
    standing_figures,
)
from cvclaims.report.files import ReportError
from cvclaims.report.overview import assumed, by_report, expected, heading, overview
from cvclaims.report.rows import Row, merge
from cvclaims.report.sweeps import Held, renewed
from cvclaims.report.tables import markdown_table, plain
from cvclaims.text import clean

__all__ = ["ReportError", "Written", "compose", "write_results"]

# A grid and its figure's file.
Shown: TypeAlias = tuple[grid.Grid, str | None]

PAGE = "README.md"
# Another session may draw hundreds of figures, or stand still.
_LOCK_SECONDS = 1800.0
_INTRODUCTION = """\
# Results

Each table sets the numbers that a report states beside those measured here (mean ± standard \
deviation over seeds) and judges the statement by a rule that was fixed before any run: \
*supported*, *refuted*, or *inconclusive* where the seeds leave it open. A claim is *disputed* \
where the report's own numbers or arithmetic contradict it: then *refuted* is expected, and \
*supported* would be the surprise. The scale says how much was trained: *full* is the report's \
own protocol, *reduced* a smaller one on real data that can judge comparisons but no level of \
accuracy, and *smoke* only shows that the code runs: it judges nothing, and its rows read *ran*. \
So do those that a guard held back, as networks that never left chance say nothing of trained \
ones: they are *not comparable*, and say why. Beside a verdict, and changing none: *size*, at \
full scale, whether the effect is at least half of the reported one (*at least half* where the \
bound of the last look lies beyond it, *less than half*, else *open*); *its own runs*, what the \
same rule says of the runs that the report publishes, in one look at 5 % (*one run* where it \
trained once).

Every number comes from the records under `records/`; [claims.json](claims.json) holds the same \
rows for programs. This page is generated: change the claims, not the page.

## Overview

Claims, and in brackets their rows where they are more. A claim with several rows counts as the \
first of these that one of them is: error, refuted, inconclusive, not evaluated, ran, supported.
"""


@dataclass
class Written:
    """What a call of `write_results` left behind.

    Attributes:
        rows: the merged rows, as in claims.json.
        before: the rows that stood there.
        written: the files whose content changed.
        removed: files that no longer belong to any row.
        problems: one line each, for whoever owns the terminal.
    """

    claims: Path
    page: Path
    rows: list[Row]
    before: list[Row] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def write_results(
    folder: Path, new: Sequence[Row], records: Records, held: Held = tuple
) -> Written:
    """Merge new rows into the results folder and bring everything that people read up to date.

    `records` gives the evidence of a row by recipe name; it is asked only for figures that have
    to be drawn. `held` gives all that the store holds; it is asked only where a report of this
    session sweeps the batch size, as a grid shows every run that there is. Where a file is damaged,
    no figure is removed: it may belong to what cannot be read. Raises ReportError, in
    one line, where the table or the page cannot be read or written; whatever goes wrong with a
    figure is a problem.
    """
    with _alone(folder):
        with suppress(OSError):  # it removes stale drafts; what cannot be written is told below
            check_writable(folder)
        before, damage = files.read_rows(folder / files.CLAIMS)
        rows = merge(before, new)
        done = Written(folder / files.CLAIMS, folder / PAGE, rows, before)
        if damage:
            kept = files.keep_copy(done.claims).name
            done.problems.append(
                f"{done.claims}: {damage}; kept as {kept}, --claims-replay fills the gaps"
            )
        swept, odd = grid.read(folder)
        # What people read comes first, with the figures that stand: drawing may meet anything.
        _write(done, done.claims, files.to_json(rows))
        drawn = standing_figures(folder, rows, swept)
        _write_page(done, drawn)
        try:
            grids = renewed(swept, before, rows, rows if odd else new, held)
            _keep_grids(done, grids, odd)
            drawn = draw_figures(folder, rows, records, grids, bool(damage or odd))
        except Exception as error:
            drawn.problems.append(f"{folder}: no figure is drawn ({type(error).__name__}: {error})")
        _write_page(done, drawn)
    done.written += drawn.written
    done.removed += drawn.removed
    done.problems = [clean(problem) for problem in done.problems + drawn.problems]
    return done


def _keep_grids(done: Written, grids: Sequence[grid.Grid], odd: str) -> None:
    """Bring grids.json up to date; the page has the grids even where that fails."""
    path = done.claims.with_name(grid.FILE)
    try:
        if odd:
            kept = files.keep_copy(path).name
            done.problems.append(f"{path}: {odd}; kept as {kept}, made anew from the records")
        if grid.write(path.parent, grids):
            (done.written if grids else done.removed).append(path)
    except ReportError as error:
        done.problems.append(str(error))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two sessions that end at once must not write over each other's rows."""
    # Beside the records' own locks, which no one commits.
    lock = Lock(
        folder / "records" / ".locks" / "results.lock", "the results folder", "put it elsewhere"
    )
    try:
        if not lock.acquire(timeout=_LOCK_SECONDS):
            raise ReportError(
                f"{folder} is still being written by another session, {lock.holder()} (lock file "
                f"{lock.path}): end it, then --claims-replay writes the results from the records"
            )
    except LockError as error:
        raise ReportError(
            f"{folder} cannot be written ({error}); choose another with --claims-results"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _write(done: Written, path: Path, content: bytes) -> None:
    if files.replace(path, content) and path not in done.written:
        done.written.append(path)


def _write_page(done: Written, drawn: Drawn) -> None:
    _write(done, done.page, compose(done.rows, drawn.pictures, drawn.grids).encode())


def compose(rows: Sequence[Row], pictures: Sequence[Picture], grids: Sequence[Shown] = ()) -> str:
    """README.md: how to read it, the overview, and a section for each report."""
    parts = [_INTRODUCTION, expected(rows), overview(rows)]
    for slug, part in by_report(rows).items():
        shown = [picture for picture in pictures if picture.group.lead.report == slug]
        parts.append(
            _section(slug, part, shown, [pair for pair in grids if pair[0].report == slug])
        )
    return "\n".join(parts)


def _section(
    slug: str, rows: Sequence[Row], pictures: Sequence[Picture], grids: Sequence[Shown]
) -> str:
    number, title, note = heading(rows)
    name = plain(title or slug)
    parts = [f"## {number}. {name}\n" if number else f"## {name}\n"]
    if note:
        parts.append(f"> {plain(note)}\n")
    parts.append(markdown_table(rows))
    if told := assumed(rows):
        parts.append(f"{plain(told)}\n")
    if disputes := _disputes(rows):
        parts.append(f"Disputed:\n\n{disputes}")
    parts.append(_details(rows, pictures))
    if grids:
        parts.append(grid.section(name, grids))
    if pictures:
        parts.append(f"### Figures of {name}\n")
        kinds = {picture.kind for picture in pictures}
        captions = [caption for kind, caption in KINDS.items() if kind in kinds]
        captions += [MARKED] * any(picture.group.reported for picture in pictures)
        parts.append("".join(f"- {caption}\n" for caption in captions))
        parts += [_figures(list(same)) for _, same in groupby(pictures, lambda p: p.group.lead)]
    return "\n".join(parts)


def _disputes(rows: Sequence[Row]) -> str:
    """Why each disputed claim is, once for all the cases that share the reason."""
    cases: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.disputed:
            cases.setdefault((row.id, row.disputed), []).append(row.case)
    return "".join(f"- {_claim(id, which)}: {plain(why)}\n" for (id, why), which in cases.items())


def _details(rows: Sequence[Row], pictures: Sequence[Picture]) -> str:
    """Where each claim stands, the rule that judged it, and its figures; folded away."""
    figures = {row.place: _anchor(p) for p in pictures for row in p.group.rows}
    cases: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        rule = f"rule {plain(row.rule)}" if row.rule else "no rule was reached"
        guards = f"guards {', '.join(map(plain, row.guards))}" if row.guards else ""
        link = f"[figures](#{figures[row.place]})" if row.place in figures else ""
        told = "; ".join(part for part in (plain(row.source), rule, guards, link) if part)
        if row.case not in (named := cases.setdefault((row.id, told), [])):
            named.append(row.case)  # once, where it was timed on two kinds of device
    lines = "".join(f"- {_claim(id, which)}: {told}\n" for (id, told), which in cases.items())
    return f"<details><summary>Sources, rules and figures</summary>\n\n{lines}\n</details>\n"


def _anchor(picture: Picture) -> str:
    """Where a group's figures begin on the page."""
    return picture.file.rpartition("/")[2].removesuffix(f"-{picture.kind}.png")


def _claim(id: str, cases: Iterable[str]) -> str:
    names = "; ".join(plain(case) for case in cases if case)
    return f"**{plain(id)}**" + (f" ({names})" if names else "")


def _figures(pictures: Sequence[Picture]) -> str:
    """The figures of one set of recipes, under the claims that rest on them."""
    group = pictures[0].group
    cases: dict[str, list[str]] = {}
    for row in group.rows:
        cases.setdefault(row.id, []).append(row.case)
    claims = ", ".join(_claim(id, which) for id, which in cases.items())
    runs = ", ".join(group.runs)
    images = "".join(
        f"![{p.kind.replace('-', ' ')} of {plain(runs)}]({p.file})\n" for p in pictures
    )
    anchor = f'<a id="{_anchor(pictures[0])}"></a>'
    return f"{anchor}{claims}: {plain(group.title)}\n\n{images}"
