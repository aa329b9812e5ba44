"""What stands after a session: nothing less hides a verdict on today's recipes (and see V6)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cvclaims.catalogue import FRAGILE
from cvclaims.results.view import RANK, ClaimView, in_order
from cvclaims.verdict.decision import JUDGED


def merge(old: Iterable[ClaimView], new: Iterable[ClaimView]) -> list[ClaimView]:
    """The rows that stand after a session: nothing less hides a verdict on today's recipes.

    A new row replaces the old one of its place, unless that one rests on the recipes and training
    code of today and was judged at a larger scale, or the new one has no verdict to put in its
    place. Nor does one that leaves the claim open, or only ran, where more was judged: fewer seeds
    or generated data are no news. But where the very records that were judged only run now, a rule
    or a guard has changed, which takes the verdict back; as does a row of the same scale by another
    rule. What crashed is told beside the verdict
    that stands. Smoke judges nothing and never enters.

    A timed row stands beside that of the other kind of device. What was not timed, as it crashed or
    had no device, belongs to neither: it meets both.
    """
    statements: dict[tuple[str, str, str], dict[str, ClaimView]] = {}
    for row in old:
        statements.setdefault(row.statement, {})[row.timed_on] = row
    for row in new:
        if row.scale != "smoke":
            statements[row.statement] = _joined(statements.get(row.statement, {}), row)
    return in_order(row for rows in statements.values() for row in rows.values())


def _joined(old: Mapping[str, ClaimView], new: ClaimView) -> dict[str, ClaimView]:
    """The rows of one statement by the device they were timed on, after a new one."""
    timed = {kind: row for kind, row in old.items() if kind}
    if timed and not new.timed_on:
        rows = [_standing(row, new) for row in timed.values()]
    else:
        others = [r for kind, r in timed.items() if kind != new.timed_on and not _stale(r, new)]
        rows = [*others, _standing(old.get(new.timed_on) or old.get(""), new)]
    return {row.timed_on: row for row in rows}


def _standing(old: ClaimView | None, new: ClaimView) -> ClaimView:
    if old is None or old.scale == "smoke" or old.verdict == "not evaluated" or _stale(old, new):
        return new
    if new.verdict == "not evaluated":
        return old
    # What crashed at a larger scale is no evidence that a smaller one could hide.
    if old.verdict == "error":
        return new
    if new.verdict == "error":
        return replace(old, failure=new.reason or "it does not say why")
    return replace(old, failure="") if _outranks(old, new) else new


def _outranks(old: ClaimView, new: ClaimView) -> bool:
    """Whether what was judged before says more than what was judged now, on the same recipes."""
    if old.scale == new.scale and _ruled_otherwise(old, new):
        return False
    if old.verdict in JUDGED and new.verdict == "ran":
        return not _same_records(old, new)
    if RANK[old.scale] != RANK[new.scale]:
        return RANK[old.scale] > RANK[new.scale]
    if _left_open_by_a_guard(new) and _same_records(old, new):
        return False
    undecided = new.verdict == "ran" or (new.verdict == "inconclusive" and old.verdict in JUDGED)
    return undecided and _most_values(old) > _most_values(new)


def _ruled_otherwise(old: ClaimView, new: ClaimView) -> bool:
    """Whether another rule, margin, level or guard stands behind the two."""
    return bool(old.rule_digest and new.rule_digest) and old.rule_digest != new.rule_digest


def _left_open_by_a_guard(row: ClaimView) -> bool:
    """Whether V1 left a row open, which no further seed could decide."""
    ours = any(name in FRAGILE for name in row.assumed)
    return row.verdict == "inconclusive" and "V1" in row.guards and ours


def _same_records(old: ClaimView, new: ClaimView) -> bool:
    """Whether the new row rests on records of the old one alone."""
    before, now = ({k for keys in r.evidence.values() for k in keys} for r in (old, new))
    return bool(now) and now <= before


def _most_values(row: ClaimView) -> int:
    """How many values its numbers rest on; the samples of a row have one for each seed."""
    return max((measured["n"] for measured in row.measured.values()), default=0)


def _stale(old: ClaimView, new: ClaimView) -> bool:
    """Whether the old row's evidence belongs to other recipes or to older training code."""
    if old.recipes.get(old.scale) != new.recipes.get(old.scale):
        return True
    return bool(old.recipes) and old.revision != new.revision
