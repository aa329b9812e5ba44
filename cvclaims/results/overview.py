"""What holds for many rows: counts by verdict, a report's heading, how sure one can be."""

from collections.abc import Iterable, Mapping, Sequence

from cvclaims.results.markdown import plain, table
from cvclaims.results.view import ClaimView, by_report
from cvclaims.verdict.decision import JUDGED, SYMBOLS, Verdict

# What all looks at a row together may err by; as in `verdict.levels`.
OVERALL = 0.05
# Why the guards that hold rows back do so, in few words; as in `verdict.validity`.
GUARDS: Mapping[str, str] = {
    "V1": "networks that never left chance",
    "V2": "networks that learned too little to be compared",
    "V5": "a level of accuracy on other bytes than the report's",
}


def certainty(rows: Sequence[ClaimView]) -> str:
    """How many rows were judged, and how many of the verdicts are wrong by chance alone."""
    by_chance = [row for row in rows if row.verdict in JUDGED and _is_statistical(row)]
    judged = [row for row in rows if row.verdict in JUDGED]
    if not judged:
        return "No claim is judged so far.\n"
    text = f"**{len(judged)} of {len(rows)} rows are judged** ({_counts(judged)}); a claim has a "
    text += "row for each of its cases."
    if by_chance:
        text += (
            f" {len(by_chance)} of them by a statistical rule, the others by counting or proof. A "
            f"statistical verdict is false in at most {100 * OVERALL:.0f} % of all cases, so up to "
            f"{OVERALL * len(by_chance):.1f} of these are expected to be wrong by chance alone."
        )
    return f"{text}\n"


def _counts(rows: Sequence[ClaimView]) -> str:
    found = [(verdict, sum(row.verdict == verdict for row in rows)) for verdict in JUDGED]
    return ", ".join(f"{count} {verdict}" for verdict, count in found)


def _is_statistical(row: ClaimView) -> bool:
    rule = row.rule or ""
    return bool(rule) and not rule.startswith(("exact", "property"))


def reports_table(rows: Sequence[ClaimView]) -> str:
    """`counts` as Markdown, the numbers to the right."""
    heads, *lines = counts(rows)
    told = table(heads, [[_numbered(name), *cells] for name, *cells in lines]).split("\n")
    told[1] = "|---|" + "--:|" * (len(heads) - 1)
    return "\n".join(told)


def _numbered(name: str) -> str:
    """A report's name with its number, which begins no list in a table."""
    number, dot, title = name.partition(". ")
    return f"{number}{dot}{plain(title)}" if number.isdecimal() else plain(name)


def counts(rows: Sequence[ClaimView]) -> list[list[str]]:
    """Heads, and a line for each report: its rows by verdict, full and reduced apart; their sum."""
    scales = [s for s in ("full", "reduced") if any(_is_of(row, s) for row in rows)]
    verdicts = (*JUDGED, Verdict.RAN)
    heads = ["report", "claims", "rows"]
    heads += [f"{scale}: {SYMBOLS[v]} {v}" for scale in scales for v in verdicts]
    heads += [f"{SYMBOLS[v]} {v}" for v in _APART]
    lines = []
    for slug, part in by_report(rows).items():
        number, title, _ = heading(part)
        name = f"{number}. {title or slug}" if number else title or slug
        lines.append([name, *_tally(part, scales)])
    if len(lines) > 1:
        lines.append(["all", *_tally(rows, scales)])
    return [heads, *lines]


_APART = (Verdict.NOT_EVALUATED, Verdict.ERROR)


def _is_of(row: ClaimView, scale: str) -> bool:
    return row.scale == scale and row.verdict not in _APART


def _tally(rows: Sequence[ClaimView], scales: Iterable[str]) -> list[str]:
    cells = [str(len({(row.report, row.id) for row in rows})), str(len(rows))]
    for scale in scales:
        for verdict in (*JUDGED, Verdict.RAN):
            of = [row for row in rows if _is_of(row, scale) and row.verdict == verdict]
            disputed = sum(row.expected for row in of)
            cells.append(f"{len(of)} ({disputed} disputed)" if disputed else str(len(of)))
    return cells + [str(sum(row.verdict == verdict for row in rows)) for verdict in _APART]


def ran(rows: Iterable[ClaimView]) -> str:
    """Why rows were carried out and say nothing, a line for each guard; empty without any."""
    held: dict[str, int] = {}
    for row in rows:
        for guard in row.guards if row.held_back else ():
            held[guard] = held.get(guard, 0) + 1
    told = [f"{n} by {guard} ({GUARDS.get(guard, 'unknown')})" for guard, n in held.items()]
    return f"Ran, and not comparable: {plain('; '.join(told))}.\n" if told else ""


def heading(rows: Sequence[ClaimView]) -> tuple[int, str, str]:
    """Number, title and note of a report; an old row may lack what a newer one has."""
    number = max((row.report_number for row in rows), default=0)
    titles = [row.report_title for row in rows if row.report_title]
    notes = [row.report_note for row in rows if row.report_note]
    return number, titles[-1] if titles else "", notes[-1] if notes else ""
