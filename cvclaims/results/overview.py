"""What holds for many rows: counts by verdict, a report's heading, the assumed fields."""

from collections import Counter
from collections.abc import Sequence

from cvclaims.results.markdown import plain
from cvclaims.results.view import ClaimView, by_report
from cvclaims.verdict.decision import JUDGED, LEAST_FAVOURABLE

# What all looks at a row together may err by; as in `verdict.levels`.
OVERALL = 0.05

# What is counted, by verdict, and how the table calls it.
_COLUMNS = {
    "supported": "supported",
    "refuted": "refuted",
    "disputed": "of them disputed",
    "inconclusive": "inconclusive",
    "ran": "ran",
    "held back": "of them not comparable",
    "not evaluated": "not evaluated",
    "error": "error",
}


def assumed(rows: Sequence[ClaimView]) -> str:
    """One line naming the protocol fields that the report does not state; empty without any."""
    with_recipes = {row.id for row in rows if row.recipes}
    fields: dict[str, dict[str, None]] = {}
    for row in rows:
        for name in row.assumed:
            fields.setdefault(name, {})[row.id] = None
    told = [
        name if set(ids) == with_recipes else f"{name} ({', '.join(ids)})"
        for name, ids in fields.items()
    ]
    return f"Assumed, as the report does not say: {', '.join(told)}." if told else ""


def expected(rows: Sequence[ClaimView]) -> str:
    """One line on how many of the verdicts by a statistical rule are wrong by chance alone."""
    by_chance = [row for row in rows if row.verdict in JUDGED and _is_statistical(row)]
    if not by_chance:
        return ""
    verdicts = Counter(row.verdict for row in by_chance)
    return (
        f"{len(by_chance)} rows were judged by a statistical rule, {verdicts['supported']} of them "
        f"supported and {verdicts['refuted']} refuted. Each may be wrong in 5 % of all cases: of "
        f"so many rows up to {OVERALL * len(by_chance):.1f} verdicts are expected to be false by "
        "chance alone.\n"
    )


def _is_statistical(row: ClaimView) -> bool:
    rule = row.rule or ""
    return bool(rule) and not rule.startswith(("exact", "property"))


def overview(rows: Sequence[ClaimView]) -> str:
    """Claims and rows by report and verdict, as a Markdown table with a line of totals."""
    heads = ["report", "claims", *_COLUMNS.values()]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "--:|" * (len(heads) - 1)]
    reports = by_report(rows)
    for slug, part in reports.items():
        number, title, _ = heading(part)
        name = f"{number}. {plain(title or slug)}" if number else plain(title or slug)
        lines.append(f"| {name} | " + " | ".join(_tally(part)) + " |")
    if len(reports) != 1:
        lines.append("| **all** | " + " | ".join(_tally(rows)) + " |")
    return "\n".join(lines) + "\n"


def heading(rows: Sequence[ClaimView]) -> tuple[int, str, str]:
    """Number, title and note of a report; an old row may lack what a newer one has."""
    number = max((row.report_number for row in rows), default=0)
    titles = [row.report_title for row in rows if row.report_title]
    notes = [row.report_note for row in rows if row.report_note]
    return number, titles[-1] if titles else "", notes[-1] if notes else ""


def _tally(rows: Sequence[ClaimView]) -> list[str]:
    claims: dict[tuple[str, str], list[ClaimView]] = {}
    for row in rows:
        claims.setdefault((row.report, row.id), []).append(row)
    cells = [_claims_and_rows(len(claims), len(rows))]
    for name in _COLUMNS:
        cells.append(
            _claims_and_rows(
                sum(_counts_as(part, name) for part in claims.values()),
                sum(_counts_as([row], name) for row in rows),
            )
        )
    return cells


def _counts_as(claim: Sequence[ClaimView], name: str) -> bool:
    found = {row.verdict for row in claim}
    worst = next(verdict for verdict in LEAST_FAVOURABLE if verdict in found)
    if name == "disputed":  # a claim that fails in one undisputed case is no longer expected to
        refuted = [row for row in claim if row.verdict == "refuted"]
        return worst == "refuted" and all(row.disputed for row in refuted)
    if name == "held back":  # a guard kept what was measured from being compared
        return worst == "ran" and any(row.held_back for row in claim)
    return worst == name


def _claims_and_rows(claims: int, rows: int) -> str:
    return f"{claims}" if claims == rows else f"{claims} ({rows})"
