"""Writing the results folder: `claims.json` for programs, README.md and figures for readers."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cvclaims.files import check_writable, read_plain
from cvclaims.locks import Lock, LockError
from cvclaims.results import output
from cvclaims.results.claim_page import claim_page, claims_of, file_of
from cvclaims.results.claims_json import CLAIMS, read_claims, short, to_json
from cvclaims.results.figures.index import OVERVIEW, Drawn, Records, draw_figures, standing_figures
from cvclaims.results.folder import figures_of, traced
from cvclaims.results.html import INDEX, index_html
from cvclaims.results.merging import merge
from cvclaims.results.output import ResultsError
from cvclaims.results.page import PAGE, compose, title_of
from cvclaims.results.sections import Held, News, Section
from cvclaims.results.tables import table_files, tables
from cvclaims.results.view import ClaimView, by_report
from cvclaims.text import clean

# Another session may draw hundreds of figures, or stand still.
_LOCK_SECONDS = 1800.0


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
    rows: list[ClaimView]
    before: list[ClaimView] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def write_results(
    folder: Path,
    new: Sequence[ClaimView],
    records: Records,
    held: Held = tuple,
    sections: Sequence[Section] = (),
    anew: bool = False,
) -> Written:
    """Merge new rows into the results folder and bring everything that people read up to date.

    `records` gives the evidence of a row by recipe name; it is asked only for figures that have
    to be drawn and for the pages of claims that have new rows or figures; `anew` writes all pages.
    `held` gives all that the store holds; it is asked only by `sections`. Where a file
    is damaged, a copy is kept, and no figure is removed: it may belong to what cannot be read.
    Raises ResultsError, in one line, where the table or the page cannot be read or written;
    whatever goes wrong with a figure or a section is a problem.
    """
    with _alone(folder):
        with suppress(OSError):  # it removes stale drafts; what cannot be written is told below
            check_writable(folder)
        before, damage = read_claims(folder / CLAIMS)
        rows = merge(before, new)
        done = Written(folder / CLAIMS, folder / PAGE, rows, before)
        if damage:
            kept = output.keep_copy(done.claims).name
            done.problems.append(
                f"{done.claims}: {damage}; kept as {kept}, --claims-replay fills the gaps"
            )
        odd = {part: why for part in sections if (why := _taken_up(folder, part))}
        # What people read comes first, with the figures that stand: drawing may meet anything.
        _write(done, done.claims, to_json(rows))
        _write_page(done, _standing(folder, rows, sections), sections)
        for part in sections:
            _renew(done, part, new, held, odd.get(part, ""))
        try:
            drawn = draw_figures(folder, rows, records, sections, bool(damage or odd))
        except Exception as error:
            drawn = _standing(folder, rows, sections)
            drawn.problems.append(f"{folder}: no figure is drawn ({type(error).__name__}: {error})")
        _write_page(done, drawn, sections)
        known = {row.place: row.to_dict() for row in before}
        news = [row for row in rows if anew or known.get(row.place) != row.to_dict()]
        news += _with_new_figures(folder, drawn)
        _write_claims(done, news, records, drawn)
    done.written += drawn.written
    done.removed += drawn.removed
    done.problems = [clean(problem) for problem in dict.fromkeys(done.problems + drawn.problems)]
    return done


def _taken_up(folder: Path, part: Section) -> str:
    """Give a section what its file holds; what is wrong with the file."""
    try:
        if part.file:
            part.read(read_plain(folder / part.file))
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    except Exception as error:  # it is a stranger's, as is the file
        return f"it cannot be used ({type(error).__name__}: {short(error)})"
    return ""


def _renew(done: Written, part: Section, new: Sequence[ClaimView], held: Held, odd: str) -> None:
    """Bring a section and its file up to date; the page has it even where the file fails."""
    try:
        part.renew(News(done.before, done.rows, done.rows if odd else new, held))
        content = part.content()
    except Exception as error:
        done.problems.append(_wrong(part, "renewed", error))
        return
    if not part.file:
        return
    path = done.claims.with_name(part.file)
    try:
        if odd:
            kept = output.keep_copy(path).name
            done.problems.append(f"{path}: {odd}; kept as {kept}, made anew from the records")
        if output.replace(path, content) if content else output.remove(path):
            (done.written if content else done.removed).append(path)
    except ResultsError as error:
        done.problems.append(str(error))


def _wrong(part: Section, what: str, error: Exception) -> str:
    return f"the section of {part.report} is not {what} ({type(error).__name__}: {error})"


def _standing(folder: Path, rows: Sequence[ClaimView], sections: Sequence[Section]) -> Drawn:
    """The figures that stand; without those of sections where one cannot say what it has."""
    with suppress(Exception):
        return standing_figures(folder, rows, sections)
    return standing_figures(folder, rows)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two sessions that end at once must not write over each other's rows."""
    # Beside the records' own locks, which no one commits.
    lock = Lock(
        folder / "records" / ".locks" / "results.lock", "the results folder", "put it elsewhere"
    )
    try:
        if not lock.acquire(timeout=_LOCK_SECONDS):
            raise ResultsError(
                f"{folder} is still being written by another session, {lock.holder()} (lock file "
                f"{lock.path}): end it, then --claims-replay writes the results from the records"
            )
    except LockError as error:
        raise ResultsError(
            f"{folder} cannot be written ({error}); choose another with --claims-results"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _write(done: Written, path: Path, content: bytes) -> None:
    if output.replace(path, content) and path not in done.written:
        done.written.append(path)


def _write_page(done: Written, drawn: Drawn, sections: Sequence[Section]) -> None:
    own: dict[str, list[str]] = {}
    for part in sections:
        views = by_report(done.rows).get(part.report, [])
        try:
            files = drawn.own.get(part, ())
            text = part.markdown(title_of(part.report, views), views, files) if views else ""
        except Exception as error:
            done.problems.append(_wrong(part, "shown", error))
            continue
        own.setdefault(part.report, []).extend([text] if text else [])
    whole = OVERVIEW if (done.page.parent / OVERVIEW).is_file() else ""
    _write(done, done.page, compose(done.rows, own, whole).encode())
    figures = figures_of(drawn.pictures)
    shown = [dataclasses.replace(row, figures=figures.get(row.place, [])) for row in done.rows]
    _write(done, done.page.with_name(INDEX), index_html(shown).encode())


def _with_new_figures(folder: Path, drawn: Drawn) -> list[ClaimView]:
    written = {path.relative_to(folder).as_posix() for path in drawn.written}
    return [
        row for picture in drawn.pictures if picture.file in written for row in picture.group.rows
    ]


def _write_claims(done: Written, news: Sequence[ClaimView], records: Records, drawn: Drawn) -> None:
    """Tables, and the pages of claims that have news or none so far; what went goes too."""
    folder = done.page.parent
    renewed = {(row.report, row.id) for row in news}
    pages, figures = claims_of(done.rows), figures_of(drawn.pictures)
    for file, rows in pages.items():
        lead = rows[0]
        if (lead.report, lead.id) not in renewed and (folder / file).is_file():
            continue
        of = [record for row in rows for part in records(row).values() for record in part]
        found = {record.key: record for record in of}
        there = {name for name in map(file_of, of) if (folder / name).is_file()}
        page = claim_page(traced(rows, found, figures), found, there)
        _write(done, folder / file, page.encode())
    for file, content in tables(done.rows).items():
        _write(done, folder / file, content)
    before = claims_of(done.before).keys() | table_files(done.before)
    for file in sorted(before - pages.keys() - table_files(done.rows)):
        if output.remove(folder / file):
            done.removed.append(folder / file)
