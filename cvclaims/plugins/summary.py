"""What a session says at its end, as lines; pure functions of the rows that came in."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cvclaims.engines.replay import NOT_TRAINED
from cvclaims.plugins.cases import HEAVY, NO_RECORDS, WANTS_GPU
from cvclaims.plugins.terminal import Line, Sheet, table
from cvclaims.results.numbers import NONE, quantities
from cvclaims.results.view import ClaimView
from cvclaims.text import cells, clean, padded
from cvclaims.verdict.decision import JUDGED, Verdict, is_surprise

# So many lines for single claims, so that a session's end fits a screen; the rest is counted.
MOST_CLAIMS = 14
MOST_REASONS = 5
MOST_PROBLEMS = 5
# Names longer than this do not push the verdicts of all others to the right.
_NAME = 16

# What is counted, in this order; a disputed claim that was refuted counts as disputed alone, one
# that ran and was held back by a guard as not comparable alone.
COUNTED = (
    *("supported", "refuted", "disputed", "inconclusive", "ran", "not comparable"),
    *("not evaluated", "error"),
)
# Why claims were not evaluated: of one and of several, and what to do about it.
ADVICE: Mapping[str, tuple[str, str, str]] = {
    WANTS_GPU: (
        *("wants a GPU", "want a GPU"),
        "--claims-scale reduced judges {} small, --claims-scale full --claims-device cpu in full, "
        "slowly",
    ),
    HEAVY: (
        *("takes more than seconds on a CPU", "take more than seconds on a CPU"),
        "--claims-scale full trains {}",
    ),
    NOT_TRAINED: (
        *("was not trained so far", "were not trained so far"),
        "run without --claims-replay to train {}",
    ),
    NO_RECORDS: ("rests on no records", "rest on no records", "run without --claims-replay"),
}
_STAND_IN = "generated stand-in for "


def runs_line(rows: Sequence[ClaimView], read: int, trained: int, sheet: Sheet) -> list[Line]:
    """What was read, trained and not evaluated."""
    idle = sum(row.verdict == "not evaluated" for row in rows)
    told = f"{number(read, 'run')} read, {trained:,} trained"
    told += f"; {idle:,} of {number(len(rows), 'claim')} not evaluated" if idle else ""
    return _plain(sheet.wrap(told))


def claim_lines(
    rows: Iterable[ClaimView], before: Mapping[tuple[str, str, str, str], ClaimView], sheet: Sheet
) -> list[Line]:
    """A line for each claim that was refuted, in error, or judged otherwise than before."""
    shown = [row for row in rows if _stands_out(row, before.get(row.place))]
    if not shown:
        return []
    shown.sort(key=lambda row: row.verdict != "error")  # no error may be among those left out
    # A line that says "and 1 more" could as well be that one.
    few = shown if len(shown) == MOST_CLAIMS + 1 else shown[:MOST_CLAIMS]
    # A long name leaves room for the verdict and the first numbers.
    names = {row.place: sheet.cut(clean(f"{row.id} {row.case}"), sheet.width // 2) for row in few}
    name = max((width for width in map(cells, names.values()) if width <= _NAME), default=0)
    word = max(len(row.verdict) for row in few)
    lines = [Line(sheet.cut("refuted, in error or changed (name reported → measured):"))]
    for row in few:
        lead = f"  {padded(names[row.place], name)}  "
        rest = f"{'':{word - len(row.verdict)}}  {_what(row, before.get(row.place))}"
        room = max(0, sheet.width - cells(lead) - len(row.verdict))
        if row.measured and cells(rest) > room:  # numbers are not cut: they go below
            lines.append(Line(lead.rstrip() + "  ", row.verdict))
            lines += _plain(sheet.wrap(f"      {rest.strip()}", "      "))
        else:
            lines.append(Line(lead, row.verdict, sheet.cut(rest, room).rstrip()))
    if len(shown) > len(few):
        more = f"  and {len(shown) - len(few):,} more: --claims-table shows every claim"
        lines += _plain(sheet.wrap(more, "    "))
    return lines


def reason_lines(rows: Iterable[ClaimView], sheet: Sheet) -> list[Line]:
    """Why claims were not evaluated: a line for each reason, however many claims have it."""
    idle = (row for row in rows if row.verdict == "not evaluated")
    reasons = Counter(_known(clean(row.reason)) for row in idle)
    lines: list[str] = []
    for reason, count in reasons.most_common(MOST_REASONS):
        lines += sheet.wrap(_reason(reason, count))[:3]
    if others := reasons.most_common()[MOST_REASONS:]:
        count = sum(number for _, number in others)
        lines += sheet.wrap(f"{number(count, 'claim')} not evaluated for other reasons")
    return _plain(lines)


def overview(rows: Sequence[ClaimView], sheet: Sheet) -> list[Line]:
    """The verdicts of this session, counted by report."""
    found = count(rows)
    heads = [name for name in COUNTED if found[name]]
    lines = [["report", *heads]]
    for name, part in _by_report(rows).items():
        counts = count(part)
        lines.append([name, *(str(counts[head]) for head in heads)])
    room = max(12, sheet.width - sum(len(head) + 2 for head in heads))
    return _plain(sheet.cut(line) for line in table([[sheet.cut(n, room), *c] for n, *c in lines]))


def _by_report(rows: Iterable[ClaimView]) -> dict[str, list[ClaimView]]:
    """The rows by report; those of which nothing was evaluated share one line."""
    reports: dict[str, list[ClaimView]] = {}
    for row in rows:
        reports.setdefault(clean(f"{row.report_number or ''} {row.report}"), []).append(row)
    idle = [name for name in reports if set(count(reports[name])) == {"not evaluated"}]
    if len(idle) > 1:
        together = [row for name in idle for row in reports.pop(name)]
        reports[", ".join(name.partition(" ")[0] for name in idle)] = together
    return reports


def stand_ins(rows: Iterable[ClaimView], folder: Path | None, sheet: Sheet) -> list[Line]:
    """The data sets that were not there, where generated images stood in for them."""
    sources = (part for row in rows for part in row.data.split("; "))
    titles = {part[len(_STAND_IN) :] for part in sources if part.startswith(_STAND_IN)}
    if not titles:
        return []
    absent = f"are not in {folder}" if folder else "are not here"
    told = f"smoke: generated stand-ins for {', '.join(sorted(titles))}, which {absent}"
    return _plain(sheet.wrap(clean(told)))


def problem_lines(problems: Iterable[str], sheet: Sheet) -> list[Line]:
    """What could not be trusted, a line each; one fault can touch every record of a store.

    They are not wrapped: they name files, which people copy.
    """
    found = [clean(problem) for problem in dict.fromkeys(problems)]
    lines = [sheet.spell(f"problem: {text}") for text in found[:MOST_PROBLEMS]]
    if len(found) > MOST_PROBLEMS:
        lines.append(f"and {number(len(found) - MOST_PROBLEMS, 'problem')} more")
    return [Line(line, colour="yellow") for line in lines]


def outranked(rows: Iterable[ClaimView], standing: Iterable[ClaimView]) -> str:
    """Of how many claims the results keep what was judged at a larger scale, before."""
    stands = {row.place: row for row in standing}
    kept = sum(row.verdict in JUDGED and stands[row.place].scale != row.scale for row in rows)
    return f"; of {kept:,} it keeps the verdict of an earlier, larger run" if kept else ""


def count(rows: Iterable[ClaimView]) -> Counter[str]:
    """How many rows came to what of `COUNTED`."""
    return Counter(map(_counted_as, rows))


def _counted_as(row: ClaimView) -> str:
    if row.expected:
        return "disputed"
    return "not comparable" if row.held_back else row.verdict


def _stands_out(row: ClaimView, before: ClaimView | None) -> bool:
    """Whether a row is news: refuted and not expected to be, in error, a surprise, or changed."""
    news = row.verdict == Verdict.ERROR or _changed(row, before)
    return news or is_surprise(row.verdict, row.disputed)


def _changed(row: ClaimView, before: ClaimView | None) -> bool:
    """Whether the results held another verdict of the same scale."""
    if before is None or before.scale != row.scale or before.verdict not in JUDGED:
        return False
    return row.verdict in JUDGED and row.verdict != before.verdict


def _what(row: ClaimView, before: ClaimView | None) -> str:
    """The numbers of a row, or why it has none; first of all what it was before."""
    was = f"was {before.verdict}; " if before is not None and _changed(row, before) else ""
    if row.disputed and row.verdict == "supported":
        was += "though disputed; "
    return was + (_numbers(row) if row.measured else clean(row.reason))


def _numbers(row: ClaimView) -> str:
    """ "mse 0.9694 → 0.9767, mse_without_softmax 0.9843 (n = 3)"."""
    told = []
    for quantity in quantities(row)[0]:
        measured = quantity.measured.partition(" ± ")[0]
        pair = f"{quantity.reported} → {measured}"
        parts = quantity.name, measured if quantity.reported == NONE else pair, quantity.n
        told.append(clean(" ".join(part for part in parts if part)))
    sizes = {measured["n"] for measured in row.measured.values()}
    common = f" (n = {sizes.pop()})" if len(sizes) == 1 and row.evidence else ""
    return ", ".join(told) + common


def _known(reason: str) -> str:
    """A reason without its details, where there is advice for all of its kind."""
    return next((known for known in ADVICE if reason.startswith(known)), reason)


def _reason(reason: str, count: int) -> str:
    """ "105 claims want a GPU: --claims-scale reduced judges small, …"."""
    if reason in ADVICE:
        one, several, advice = ADVICE[reason]
        what, them = (one, "it") if count == 1 else (several, "them")
        return f"{number(count, 'claim')} {what}: {advice.format(them)}"
    return f"{number(count, 'claim')} not evaluated: {reason}"


def number(count: int, what: str) -> str:
    """ "1 run", "1,204 runs"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _plain(lines: Iterable[str]) -> list[Line]:
    return [Line(line) for line in lines]
