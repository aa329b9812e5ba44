"""The page: README.md of the results folder, as Markdown; nothing here reads or decides."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from cvclaims.results.figures.index import KINDS, MARKED, Picture
from cvclaims.results.markdown import markdown_table, plain
from cvclaims.results.overview import assumed, expected, heading, overview
from cvclaims.results.view import ClaimView, by_report

PAGE = "README.md"
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


def compose(
    rows: Sequence[ClaimView],
    pictures: Sequence[Picture],
    own: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> str:
    """README.md: how to read it, the overview, and a section for each report.

    `own` holds, by report, what its own sections say.
    """
    parts = [_INTRODUCTION, expected(rows), overview(rows)]
    for slug, part in by_report(rows).items():
        shown = [picture for picture in pictures if picture.group.lead.report == slug]
        parts.append(_section(slug, part, shown, own.get(slug, ())))
    return "\n".join(parts)


def _section(
    slug: str, rows: Sequence[ClaimView], pictures: Sequence[Picture], own: Iterable[str]
) -> str:
    number, _, note = heading(rows)
    name = title_of(slug, rows)
    parts = [f"## {number}. {name}\n" if number else f"## {name}\n"]
    if note:
        parts.append(f"> {plain(note)}\n")
    parts.append(markdown_table(rows))
    if told := assumed(rows):
        parts.append(f"{plain(told)}\n")
    if disputes := _disputes(rows):
        parts.append(f"Disputed:\n\n{disputes}")
    parts.append(_details(rows, pictures))
    parts += own
    if pictures:
        parts.append(f"### Figures of {name}\n")
        kinds = {picture.kind for picture in pictures}
        captions = [caption for kind, caption in KINDS.items() if kind in kinds]
        captions += [MARKED] * any(picture.group.reported for picture in pictures)
        parts.append("".join(f"- {caption}\n" for caption in captions))
        parts += [_figures(list(same)) for _, same in groupby(pictures, lambda p: p.group.lead)]
    return "\n".join(parts)


def title_of(slug: str, rows: Sequence[ClaimView]) -> str:
    """A report's title, fit for Markdown; its slug where no row has one."""
    return plain(heading(rows)[1] or slug)


def _disputes(rows: Sequence[ClaimView]) -> str:
    """Why each disputed claim is, once for all the cases that share the reason."""
    cases: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.disputed:
            cases.setdefault((row.id, row.disputed), []).append(row.case)
    return "".join(f"- {_claim(id, which)}: {plain(why)}\n" for (id, why), which in cases.items())


def _details(rows: Sequence[ClaimView], pictures: Sequence[Picture]) -> str:
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
