"""Which figures a page has, and which of them have to be drawn anew.

Claims that trained the same recipes share their figures. `figures/index.json` keeps a hash of
each figure's evidence, so a session that added none draws nothing and opens no record.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from cvclaims.files import read_plain
from cvclaims.records.record import Record
from cvclaims.results import output
from cvclaims.results.figures import overview
from cvclaims.results.figures.drawers import draw_all, own_drawing
from cvclaims.results.figures.groups import NAME, Group, Runs, free_name, groups, named, slug
from cvclaims.results.sections import OwnFigure, Section
from cvclaims.results.view import ClaimView

Records: TypeAlias = Callable[[ClaimView], Runs]

# Raise it when `drawing` draws the same records differently: every figure is then drawn anew.
VERSION = 11
INDEX = "figures/index.json"
# The picture of all claims.
OVERVIEW = "figures/overview.svg"
# What `panels.KINDS` can draw, in the order in which a reader looks, and what the page says.
KINDS = {
    "dots": "What was judged: a dot for each seed, the mean with its 95 % interval, and a diamond "
    "for what the report states.",
    "curves": "Curves: loss and accuracy, on the training samples as they were trained on (above) "
    "and on the test samples (below), gradient norm and learning rate; mean over seeds, band from "
    "the lowest to the highest.",
    "close-up": "Close-up of long trainings: the first 20 epochs enlarged, and the training loss "
    "smoothed over 5 epochs (thin: as it is).",
    "classes": "Test accuracy of each class after the last epoch, the best class first: bars are "
    "means over seeds, dots the seeds.",
    "gradient-flow": "Norms of the gradients of weights: left, of the first and the last layer, "
    "over training; right, of every layer from input to output, mean over training and seeds; "
    "below, every layer by epoch, and three parameters by name, near the input, deep inside and at "
    "the output.",
    "activations": "Activations after the last epoch: one outline a seed.",
    "dead-units": "Share of activations ≤ 0, and share of units with neither output nor gradient "
    "for any training sample: mean over seeds, at the right after the last epoch.",
    "boundary": "Predicted class over the plane: mean over seeds; a line is one seed's boundary.",
    "cost": "Test accuracy after the last epoch against the number of trained parameters.",
}
# Below them, where a report states numbers.
MARKED = (
    "An open mark, or a number called *reported*, is what the report states, at the epoch that it "
    "is of, wherever it is in the unit of the picture; dots beside it are the report's own runs."
)
# The hashes of figures' evidence.
_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Picture:
    """A figure on the page; `file` is relative to the results folder, with forward slashes."""

    file: str
    kind: str
    group: Group


@dataclass
class Drawn:
    """The page's figures, and what was done for them."""

    pictures: list[Picture] = field(default_factory=list)
    # The file of each figure of a section; None where it could not be drawn.
    own: dict[Section, list[str | None]] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    # Files that could not be drawn this time, and why others could not be written or removed.
    failed: set[str] = field(default_factory=set)
    unwritten: list[str] = field(default_factory=list)


def draw_figures(
    folder: Path,
    rows: Sequence[ClaimView],
    records: Records,
    sections: Sequence[Section] = (),
    keep: bool = False,
) -> Drawn:
    """Bring `folder/figures` in line with rows and sections: draw what changed, remove what went.

    Only files that the index names, by names that figures have, are ever removed, and with `keep`
    none. A figure that cannot be drawn or written becomes a problem, and what stood in its place
    stays in the folder.
    """
    before, odd = read_index(folder, sections)
    drawn = Drawn(problems=[f"{folder / INDEX}: {odd}; written anew"] if odd else [])
    after: dict[str, str] = {}
    found = named(groups(rows))
    pictures = {stem: _unchanged(folder, stem, group, before) for stem, group in found}
    anew = [(stem, group) for stem, group in found if pictures[stem] is None]
    pictures |= _drawn_anew(folder, anew, records, drawn)
    for picture in itertools.chain.from_iterable(filter(None, pictures.values())):
        drawn.pictures.append(picture)
        after[picture.file] = picture.group.hash(picture.kind, VERSION)
    for file, figure in _whole(rows).items():
        if _stands(folder, file, figure, before) or _own_drawn(folder, file, figure, drawn):
            after[file] = _evidence(figure)
    for section in sections:
        own = drawn.own[section] = []
        for file, figure in _own_figures(section).items():
            if _stands(folder, file, figure, before) or _own_drawn(folder, file, figure, drawn):
                after[file] = _evidence(figure)
            own.append(file if file in after else None)
    for file in sorted(before.keys() - after.keys()):
        if keep or file in drawn.failed or not _remove(folder / file, drawn):
            after[file] = before[file]
    if after != before:
        _put(folder / INDEX, f"{json.dumps(after, indent=1, sort_keys=True)}\n".encode(), drawn)
    if drawn.unwritten:
        more = f" (and {len(drawn.unwritten) - 1} more files)" if drawn.unwritten[1:] else ""
        drawn.problems.append(f"{drawn.unwritten[0]}{more}")
    return drawn


def standing_figures(
    folder: Path, rows: Sequence[ClaimView], sections: Sequence[Section] = ()
) -> Drawn:
    """The figures that need not be drawn anew, for a page before any is."""
    index, _ = read_index(folder, sections)
    found = [_unchanged(folder, stem, group, index) or [] for stem, group in named(groups(rows))]
    own: dict[Section, list[str | None]] = {
        section: [
            file if _stands(folder, file, figure, index) else None
            for file, figure in _own_figures(section).items()
        ]
        for section in sections
    }
    return Drawn(list(itertools.chain.from_iterable(found)), own)


def _whole(rows: Sequence[ClaimView]) -> dict[str, OwnFigure]:
    """The picture of all claims, where any was judged over seeds."""
    shown = overview.judged_by_chance(rows)
    text = overview.evidence(rows)
    figure = OwnFigure("overview", "", text, lambda: overview.overview(rows))
    return {OVERVIEW: figure} if shown else {}


def _own_figures(section: Section) -> dict[str, OwnFigure]:
    """A section's figures by their files."""
    taken: set[str] = set()
    folder = f"figures/{slug(section.report)}"
    return {
        f"{free_name(f'{folder}/{slug(own.name)}', taken)}.svg": own for own in section.figures()
    }


def _stands(folder: Path, file: str, figure: OwnFigure, index: Mapping[str, str]) -> bool:
    return index.get(file) == _evidence(figure) and (folder / file).is_file()


def _evidence(figure: OwnFigure) -> str:
    return hashlib.sha256(f"{VERSION} {figure.evidence}".encode()).hexdigest()


def _put(path: Path, content: bytes, drawn: Drawn) -> bool:
    """Write a file; False where it cannot be."""
    try:
        if output.replace(path, content):
            drawn.written.append(path)
    except output.ResultsError as error:
        drawn.unwritten.append(str(error))
        return False
    return True


def _remove(path: Path, drawn: Drawn) -> bool:
    """Remove a file; False where it is still there."""
    try:
        if output.remove(path):
            drawn.removed.append(path)
    except output.ResultsError as error:
        drawn.unwritten.append(str(error))
        return False
    return True


def _unchanged(
    folder: Path, stem: str, group: Group, index: Mapping[str, str]
) -> list[Picture] | None:
    """The group's figures as they stand, or None where one has to be drawn.

    Every run has curves, so curves of this very evidence say that the whole group was drawn.
    """
    known = [kind for kind in KINDS if index.get(_file(stem, kind)) == group.hash(kind, VERSION)]
    pictures = [Picture(_file(stem, kind), kind, group) for kind in known]
    if "curves" not in known or not all((folder / p.file).is_file() for p in pictures):
        return None
    return pictures


def _drawn_anew(
    folder: Path, wanted: Sequence[tuple[str, Group]], records: Records, drawn: Drawn
) -> dict[str, list[Picture]]:
    """The figures of each of these groups; why others could not be drawn, once for each reason."""
    undrawn: dict[str, list[str]] = {}
    jobs = _jobs(wanted, records, undrawn)
    pictures: dict[str, list[Picture]] = {}
    found = draw_all([group.subject(runs) for _, group, runs in jobs])
    for (stem, group, _), (by_kind, error) in zip(jobs, found, strict=True):
        drawable = [Picture(_file(stem, kind), kind, group) for kind in by_kind]
        pictures[stem] = [p for p in drawable if _put(folder / p.file, by_kind[p.kind], drawn)]
        if error or len(pictures[stem]) < len(drawable):
            drawn.failed.update(_file(stem, kind) for kind in KINDS)
        if error:
            undrawn.setdefault(f" ({error})", []).append(stem)
    for why, stems in undrawn.items():
        drawn.failed.update(_file(stem, kind) for stem in stems for kind in KINDS)
        more = f" and {len(stems) - 1} more" if len(stems) > 1 else ""
        drawn.problems.append(f"{stems[0]}{more}: not drawn{why}")
    return pictures


def _jobs(
    wanted: Sequence[tuple[str, Group]], records: Records, undrawn: dict[str, list[str]]
) -> list[tuple[str, Group, Runs]]:
    """Each group as far as its records were found, and those records."""
    jobs: list[tuple[str, Group, Runs]] = []
    for stem, group in wanted:
        try:
            runs = _collect(group, records)
        except Exception as error:
            undrawn.setdefault(f" ({type(error).__name__}: {error})", []).append(stem)
            continue
        if any(runs.values()):
            jobs.append((stem, group.holding(runs), runs))
        else:
            undrawn.setdefault(", for its records are not in this store", []).append(stem)
    return jobs


def _own_drawn(folder: Path, file: str, figure: OwnFigure, drawn: Drawn) -> bool:
    """Draw a figure of a section; False where it cannot be."""
    try:
        content = own_drawing().svg(figure.draw, figure.title)
    except Exception as error:
        why = f"not drawn ({type(error).__name__}: {error})"
        drawn.problems.append(f"{Path(file).stem}: {why}")
        content = None
    if content is not None and _put(folder / file, content, drawn):
        return True
    drawn.failed.add(file)
    return False


def _collect(group: Group, records: Records) -> dict[str, list[Record]]:
    """The group's records by name, ordered by seed, each once."""
    found: dict[str, Record] = {}
    for row in group.rows:
        for part in records(row).values():
            found.update((record.key, record) for record in part)
    return {
        name: sorted((found[key] for key in keys if key in found), key=lambda r: (r.seed, r.key))
        for name, keys in group.runs.items()
    }


def _file(stem: str, kind: str) -> str:
    return f"{stem}-{kind}.svg"


def read_index(folder: Path, sections: Sequence[Section] = ()) -> tuple[dict[str, str], str]:
    """File -> hash of its evidence, and what is wrong with the index.

    An entry that no figure of a page could have is dropped: what the index names may be removed.
    """
    try:
        form = json.loads(read_plain(folder / INDEX))
    except (ValueError, RecursionError):
        return {}, "not JSON, perhaps cut off"
    except OSError:  # none; or one that cannot be written either, which is then told
        return {}, ""
    if not isinstance(form, dict):
        return {}, "no index of figures"
    ends = [*KINDS, *(rf"{re.escape(kind)}(-\d+)?" for part in sections for kind in part.kinds)]
    own = re.compile(rf"{re.escape(OVERVIEW)}|figures/{NAME}/{NAME}-({'|'.join(ends)})\.(svg|png)")
    sound = {
        file: evidence
        for file, evidence in form.items()
        if own.fullmatch(file) and isinstance(evidence, str) and _HASH.fullmatch(evidence)
    }
    odd = len(form) - len(sound)
    return sound, f"{odd} of {len(form)} entries name no figure" if odd else ""
