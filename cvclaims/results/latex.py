"""Claims as LaTeX: one tabular for each report, numbers as the page has them."""

from collections.abc import Iterable, Sequence

from cvclaims.results.numbers import quantities
from cvclaims.results.view import ClaimView, by_report
from cvclaims.verdict.decision import in_words

_HEADS = ("claim", "quantity", "reported", "measured", "verdict")
# What LaTeX reads as something else, or has no letter for in its first encoding.
_SPECIAL = str.maketrans(
    {char: f"\\{char}" for char in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}"}
    | {"–": "--", "—": "---", "…": r"\ldots{}", "\u00a0": "~"}
    | {"±": r"\(\pm\)", "×": r"\(\times\)", "−": r"\(-\)", "→": r"\(\rightarrow\)"}
    | {"≤": r"\(\leq\)", "≥": r"\(\geq\)", "·": r"\(\cdot\)", "²": r"\(^2\)", "₂": r"\(_2\)"}
)


def latex_table(views: Iterable[ClaimView]) -> str:
    """A tabular for each report, below its title as a comment; it needs no package."""
    parts = []
    for slug, part in by_report(views).items():
        title = next((view.report_title for view in part if view.report_title), slug)
        parts.append(f"% {title}\n{_tabular(part)}\n")
    return "\n".join(parts)


def _tabular(views: Sequence[ClaimView]) -> str:
    from tabulate import tabulate

    lines = [[escaped(cell) for cell in line] for view in views for line in _lines(view)]
    # Our cells are LaTeX already; with numparse it would write 0.9000 as 0.9.
    return tabulate(lines, _HEADS, tablefmt="latex_raw", disable_numparse=True)


def _lines(view: ClaimView) -> list[list[str]]:
    """A line for each quantity; the first also names the claim and says its verdict."""
    numbers, common = quantities(view)
    claim = f"{view.id} ({view.case})" if view.case else view.id
    lines = []
    for quantity in numbers:
        n = quantity.n or (common if view.measured else "")
        measured = f"{quantity.measured} ({n})" if n else quantity.measured
        lines.append(["", quantity.name, quantity.reported, measured, ""])
    lines = lines or [[""] * len(_HEADS)]
    lines[0][0], lines[0][-1] = claim, in_words(view.verdict, view.disputed)
    return lines


def escaped(text: str) -> str:
    """Text as it is, whatever LaTeX would make of it."""
    return text.translate(_SPECIAL)
