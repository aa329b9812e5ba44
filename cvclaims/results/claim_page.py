"""A claim's own page, as Markdown: all that is known of its cases. Nothing here decides."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import groupby
from typing import Any

from cvclaims.recipe import Recipe
from cvclaims.records import Record
from cvclaims.results.figures.groups import free_name, slug
from cvclaims.results.figures.index import KINDS, MARKED
from cvclaims.results.markdown import linked, plain, rule_of, table, verdict_of, why
from cvclaims.results.numbers import NONE, briefly, quantities
from cvclaims.results.view import ClaimView, Numbers
from cvclaims.trainable import Trainable
from cvclaims.verdict.decision import Verdict

FOLDER = "claims"
Records = Mapping[str, Record]

# Fields of a recipe that say how it is carried out here, and not what is trained; and those that
# say nothing where another is not set.
_NO_PROTOCOL = ("assumed", "probes", "reduced", "own_seeds", "metrics")
_ONLY_WITH = {"gamma": "scheduler", "step_size": "scheduler", "monitor": "patience"}
_NUMBERS = {
    "estimate": "estimate",
    "lower": "lower bound",
    "upper": "upper bound",
    "level": "level of each bound",
    "p": "p",
    "detectable": "detectable effect",
}


def claims_of(rows: Iterable[ClaimView]) -> dict[str, list[ClaimView]]:
    """The rows of each claim by the file of its page, relative to the results folder."""
    taken: set[str] = set()
    return {
        f"{free_name(f'{FOLDER}/{slug(id)}', taken)}.md": list(cases)
        for (_, id), cases in groupby(rows, key=lambda row: (row.report, row.id))
    }


def file_of(record: Record) -> str:
    """The record's file in a results folder that has its store in `records/`."""
    return f"records/{record.scale}/{record.trained.folder}/{record.key[:24]}.json"


def claim_page(rows: Sequence[ClaimView], records: Records, files: Set[str] = frozenset()) -> str:
    """The page of one claim with all of its cases; links lead from `claims/` in a results folder.

    Args:
        rows: its cases, with the versions behind them and their figures' files.
        records: by key, as far as they are there.
        files: those of `file_of` that lie in the results folder, to be linked.
    """
    lead = rows[0]
    titles = {row.title for row in rows}
    number = f"{lead.report_number}. " * bool(lead.report_number)
    parts = [f"# {plain(lead.id)} {plain(lead.title)}\n"]
    parts.append(f"[Results](../README.md) / {number}{plain(lead.report_title or lead.report)}\n")
    if len(rows) > 1:
        parts.append(_cases(rows))
    for row in rows:
        if len(rows) > 1:
            title = f": {plain(row.title)}" * (len(titles) > 1)
            parts.append(f"## {plain(row.case) or 'The claim'}{title}\n")
        parts += _case(row)
    parts += _figures(rows)
    parts += _protocol(rows, records)
    parts += _evidence(rows, records, files)
    return "\n".join(parts)


def command(row: ClaimView) -> str:
    """What carries the claim out again, in the folder of its claims."""
    return f"pytest --claims-id {row.id} --claims-scale {row.scale}"


def _cases(rows: Sequence[ClaimView]) -> str:
    timed = ["timed on"] if any(row.timed_on for row in rows) else []
    lines = [
        [plain(row.case), verdict_of(row), row.scale, *([row.timed_on] if timed else [])]
        for row in rows
    ]
    return table(["case", "verdict", "scale", *timed], lines)


def _case(row: ClaimView) -> Iterator[str]:
    """The verdict and what it rests on."""
    yield f"**{verdict_of(row)}** at {row.scale} scale. {plain(why(row))}\n"
    told = [
        ("Source", row.source),
        ("Disputed", row.disputed),
        ("Rule", rule_of(row)),
        ("Guards that spoke", ", ".join(row.guards)),
        ("About networks that fail to train", _failing(row)),
        ("Size of the effect against the reported one", row.size),
        ("The same rule on the report's own runs", row.own_runs),
        ("The last try failed", row.failure),
    ]
    yield "".join(f"- {name}: {plain(str(text))}\n" for name, text in told if text)
    if row.measured or row.reported:
        yield _numbers(row)
    if told_numbers := _decision(row.decision):
        yield f"{told_numbers}\n"


def _failing(row: ClaimView) -> str:
    return "all" if row.about_failing is True else ", ".join(row.about_failing or ())


def _numbers(row: ClaimView) -> str:
    """Each quantity, reported beside measured, with the value of every seed."""
    quantities_of, _ = quantities(row)
    names = [*row.reported, *(name for name in row.measured if name not in row.reported)]
    lines = []
    for name, shown in zip(names, quantities_of, strict=True):
        values = row.measured[name]["values"] if name in row.measured else ()
        seeds = ", ".join("not finite" if value is None else briefly(value) for value in values)
        own = row.reported.get(name)
        runs = f" ({', '.join(map(briefly, own))})" if isinstance(own, Sequence) else ""
        lines.append([plain(name), shown.reported + runs, shown.measured, seeds or NONE])
    return table(["", "reported", "measured", "each value"], lines)


def _decision(numbers: Numbers) -> str:
    told = [
        f"{name} {briefly(value)}"
        for field, name in _NUMBERS.items()
        if isinstance(value := numbers.get(field), int | float)
    ]
    counts = numbers.get("n")
    told += [f"n = {', '.join(map(str, counts))}"] if counts else []
    return f"What decided: {'; '.join(told)}." if told else ""


def _figures(rows: Sequence[ClaimView]) -> Iterator[str]:
    files = list(dict.fromkeys(file for row in rows for file in row.figures))
    if not files:
        return
    yield "## Figures\n"
    for file in files:
        kind = _kind(file)
        yield f"![{plain(kind.replace('-', ' '))}](../{file})\n"
        yield f"{KINDS.get(kind, '')}\n" if kind in KINDS else ""
    if any(row.reported for row in rows):
        yield f"{MARKED}\n"


def _kind(file: str) -> str:
    stem = file.rpartition(".")[0]
    return max((kind for kind in KINDS if stem.endswith(f"-{kind}")), key=len, default="figure")


def _protocol(rows: Sequence[ClaimView], records: Records) -> Iterator[str]:
    """What each arm trained, what of it was assumed, and what the report says of itself."""
    arms: dict[str, Trainable] = {}
    for row in rows:
        for name, keys in row.evidence.items():
            found = next((records[key] for key in keys if key in records), None)
            if found is not None:
                arms.setdefault(_arm(row, name, rows), found.trained)
    assumed = list(dict.fromkeys(name for row in rows for name in row.assumed))
    note = rows[0].report_note
    if not (arms or assumed or note):
        return
    yield "## Protocol\n"
    if note:
        yield f"> {plain(note)}\n"
    if arms:
        yield from _fields(arms, assumed)
    if assumed:
        yield (f"The report leaves open, and we assumed: {', '.join(map(plain, assumed))}.\n")


def _arm(row: ClaimView, name: str, rows: Sequence[ClaimView]) -> str:
    """An arm's name; with its case where other cases trained something else by that name."""
    digests = {of[name] for other in rows if name in (of := other.recipes.get(other.scale, {}))}
    return name if len(digests) < 2 else f"{row.case}: {name}"


def _fields(arms: Mapping[str, Trainable], assumed: Sequence[str]) -> Iterator[str]:
    """What all arms share in one line, what tells them apart as a table."""
    forms = {name: _form(trained, assumed) for name, trained in arms.items()}
    names = list(dict.fromkeys(field for form in forms.values() for field in form))
    differing = [f for f in names if len({json.dumps(form.get(f)) for form in forms.values()}) > 1]
    shared = next(iter(forms.values()))
    told = [
        f"{plain(name)} {plain(_value(shared[name]))}{' (assumed)' * (name in assumed)}"
        for name in names
        if name not in differing
    ]
    if told:
        whom = "Every arm" if len(arms) > 1 else plain(next(iter(arms)))
        yield f"{whom}: {'; '.join(told)}.\n"
    if differing:
        lines = [
            [plain(arm), *(plain(_value(form.get(name))) for name in differing)]
            for arm, form in forms.items()
        ]
        heads = [plain(name) + " (assumed)" * (name in assumed) for name in differing]
        yield table(["arm", *heads], lines)


def _form(trained: Trainable, assumed: Sequence[str]) -> dict[str, Any]:
    """All that it was told, a recipe's defaults included."""
    if not isinstance(trained, Recipe):
        return trained.canonical()
    form = json.loads(json.dumps(vars(trained), default=str))
    empty: tuple[Any, ...] = (None, "", [], {}, False)
    unused = {name for name, other in _ONLY_WITH.items() if not form[other]}
    unused |= {"init_std"} if form["init"] != "normal" else set()
    return {
        field: value
        for field, value in form.items()
        if field in trained.__dataclass_fields__
        and field not in (*_NO_PROTOCOL, *unused)
        and (value not in empty or field in assumed)
    }


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return (
        "none"
        if value in (None, "", False)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _evidence(rows: Sequence[ClaimView], records: Records, files: Set[str]) -> Iterator[str]:
    """Devices, data and versions; each run with the file of its record; how to repeat it."""
    yield "## Evidence\n"
    lead = rows[0]
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        found.setdefault("Device", {})[row.device] = None
        found.setdefault("Data", {})[row.data] = None
        for name, versions in row.versions.items():
            found.setdefault(name, {}).update(dict.fromkeys(versions))
    told = {name: [text for text in texts if text] for name, texts in found.items()}
    if any(told.values()):
        yield "".join(
            f"- {plain(name)}: {plain(', '.join(of))}\n" for name, of in told.items() if of
        )
    lines = [line for row in rows for line in _runs(row, rows, records, files)]
    if lines:
        yield f"<details><summary>{len(lines)} runs</summary>\n"
        yield table(["arm", "seed", "epochs", "ended", "commit", "record"], lines)
        yield "</details>\n"
    elif all(row.verdict == Verdict.NOT_EVALUATED for row in rows):
        yield "Not trained so far.\n"
    yield f"Carry it out again:\n\n    {command(lead)}\n"


def _runs(
    row: ClaimView, rows: Sequence[ClaimView], records: Records, files: Set[str]
) -> Iterator[list[str]]:
    """Each run of a case; one that an earlier case has too is not said again."""
    earlier = {
        key for other in rows[: rows.index(row)] for keys in other.evidence.values() for key in keys
    }
    for name, keys in row.evidence.items():
        arm = plain(_arm(row, name, rows))
        for key in keys:
            if key in earlier:
                continue
            shown = f"`{key[:12]}`"
            if (record := records.get(key)) is None:
                yield [arm, NONE, NONE, "not in this folder", NONE, shown]
                continue
            file = file_of(record)
            yield [
                *(arm, str(record.seed), str(record.epochs), record.status),
                plain(record.origin.commit) or NONE,
                linked(shown, f"../{file}" if file in files else ""),
            ]
