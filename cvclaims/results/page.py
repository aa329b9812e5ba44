"""The page: README.md of the results folder, as Markdown; nothing here reads or decides."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from cvclaims.results.claim_page import claims_of
from cvclaims.results.markdown import claims_table, linked, plain
from cvclaims.results.overview import certainty, heading, ran, reports_table
from cvclaims.results.tables import tables_of
from cvclaims.results.view import ClaimView, Place, by_report
from cvclaims.verdict.decision import Verdict

PAGE = "README.md"
_INTRODUCTION = """\
# Results

What reports claim, and what came out when their networks were trained again. Each claim is judged \
by a rule that was fixed before any run: *supported*, *refuted*, or *inconclusive* where the seeds \
leave it open. [index.html](index.html) is the same to filter and sort, \
[claims.json](claims.json) for programs. All of it is generated from the records under `records/`.
"""
_READING = """\
<details><summary>How to read it</summary>

- Numbers are means ± standard deviations over seeds, beside those that the report states.
- A claim is *disputed* where the report's own numbers or arithmetic contradict it: then *refuted* \
is expected, and *supported* would be the surprise.
- *full* is the report's own protocol; *reduced* a smaller one on real data, which can judge \
comparisons but no level of accuracy; *smoke* only shows that the code runs, and judges nothing.
- *ran*: what was trained cannot answer the claim, as networks that never left chance say nothing \
of trained ones. Its page says which guard held it back.
- A claim's page has its protocol with what we assumed, every seed's value, the bounds that \
decided, the figures and the records.

</details>
"""


def compose(
    rows: Sequence[ClaimView],
    own: Mapping[str, Sequence[str]] = MappingProxyType({}),
    whole: str = "",
) -> str:
    """README.md: what was judged and how sure one can be, and a table for each report.

    `own` holds, by report, what its own sections say; `whole` is the file of the picture of all
    claims, empty where there is none.
    """
    parts = [_INTRODUCTION, certainty(rows), reports_table(rows), ran(rows), _READING]
    if whole:
        parts.append(f"![every judged claim: measured against reported]({whole})\n")
    pages = {row.place: file for file, cases in claims_of(rows).items() for row in cases}
    for slug, part in by_report(rows).items():
        parts += _section(slug, part, pages)
        parts += own.get(slug, ())
    return "\n".join(part for part in parts if part)


def _section(slug: str, rows: Sequence[ClaimView], pages: Mapping[Place, str]) -> Iterable[str]:
    number, _, note = heading(rows)
    name = title_of(slug, rows)
    yield f"## {number}. {name}\n" if number else f"## {name}\n"
    if note:
        yield f"> {plain(note)}\n"
    evaluated = [row for row in rows if row.verdict != Verdict.NOT_EVALUATED]
    if evaluated:
        yield claims_table(evaluated, pages)
    if open_rows := [row for row in rows if row.verdict == Verdict.NOT_EVALUATED]:
        yield f"Not evaluated so far: {_links(open_rows, pages)}.\n"
    files = [linked(kind, file) for kind, file in tables_of(slug).items()]
    yield f"The table as {' and '.join(files)}.\n"


def _links(rows: Sequence[ClaimView], pages: Mapping[Place, str]) -> str:
    """Each claim once, with how many of its cases are meant where it has several."""
    cases: dict[str, list[ClaimView]] = {}
    for row in rows:
        cases.setdefault(row.id, []).append(row)
    return ", ".join(
        linked(plain(id), pages.get(of[0].place, "")) + f" ({len(of)} cases)" * (len(of) > 1)
        for id, of in cases.items()
    )


def title_of(slug: str, rows: Sequence[ClaimView]) -> str:
    """A report's title, fit for Markdown; its slug where no row has one."""
    return plain(heading(rows)[1] or slug)
