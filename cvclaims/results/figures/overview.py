"""The picture of the whole: every statistically judged row, measured against reported."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cvclaims.claim import mean_reported
from cvclaims.results.view import ClaimView, by_report, in_order
from cvclaims.verdict.decision import JUDGED, SYMBOLS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The green, vermilion and blue of `axes.COLOURS`, each with a shape: no verdict is told by its
# colour alone.
LOOKS: Mapping[str, tuple[str, str]] = {
    "supported": ("#009E73", "o"),
    "refuted": ("#D55E00", "X"),
    "inconclusive": ("#56B4E9", "D"),
}
# Beyond so many standard errors nobody reads how many.
FURTHEST = 8.0
# Reported against measured is drawn over so many powers of ten at most.
DECADES = 5


def judged_by_chance(views: Sequence[ClaimView]) -> list[ClaimView]:
    """The rows that a rule on samples judged: the others are counts and proofs."""
    return [v for v in views if v.verdict in JUDGED and v.decision.get("p") is not None]


def evidence(views: Sequence[ClaimView]) -> str:
    """All that the picture shows, as text."""
    told = [
        [*v.place, v.verdict, v.scale, dict(v.decision), effects(v)]
        for v in in_order(judged_by_chance(views))
    ]
    return json.dumps(told)


def effects(view: ClaimView) -> tuple[float, float] | None:
    """What the report states of the quantity that the rule bounds, and what was measured of it.

    None where it states no number for it.
    """
    rule, names = view.rule or "", list(view.measured)
    estimate = view.decision.get("estimate")
    told = [mean_reported(view.reported[n]) if n in view.reported else None for n in names[:2]]
    if not isinstance(estimate, float) or None in told or not told:
        return None
    if len(names) == 1:
        return float(told[0] or 0), estimate
    first, second = float(told[0] or 0), float(told[1] or 0)
    if len(names) > 2 or rule.startswith(("order", "greatest", "least")):
        return None
    if rule.startswith("ratio"):
        return (first / second, estimate) if second else None
    return (second - first if rule.startswith("sooner") else first - second), estimate


def strength(view: ClaimView) -> float:
    """How strongly the seeds speak for a claim: its p as a normal quantile, in standard errors."""
    from scipy import special

    p = view.decision.get("p")
    assert isinstance(p, int | float)
    return -float(special.ndtri(min(max(p, 1e-300), 1 - 1e-16)))


def overview(views: Sequence[ClaimView]) -> "Figure":
    """Left, measured against reported; right, how strongly the seeds speak, report by report.

    Filled marks are of full scale, open ones of reduced.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.4, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    shown = in_order(judged_by_chance(views))
    _against(left, shown)
    _strip(right, shown)
    _legend(figure, shown)
    return figure


def _against(axes: "Axes", views: Sequence[ClaimView]) -> None:
    """Measured against reported, on logarithmic axes: units differ, the diagonal is one for all."""
    pairs = [(v, pair) for v in views if (pair := effects(v)) and pair[0] > 0]
    low = min((told for _, (told, _) in pairs), default=0.1)
    high = max((max(pair) for _, pair in pairs), default=1.0)
    low = max(low / 3, high / 10**DECADES)
    for view, (told, measured) in pairs:
        shade, shape = LOOKS[view.verdict]
        fill = shade if view.scale == "full" else "none"
        lower, upper = view.decision.get("lower"), view.decision.get("upper")
        if isinstance(lower, float) and isinstance(upper, float) and measured > low:
            axes.plot(
                [told, told], [max(lower, low), max(upper, low)], color=shade, lw=1, alpha=0.6
            )
        inside = measured > low
        axes.plot(
            [told], [measured if inside else low], ls="none", color=shade, mfc=fill, ms=6,
            marker=shape if inside else "v", clip_on=False,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    edges = (low, high * 1.5)
    axes.plot(edges, edges, color="#888888", lw=1, ls=(0, (4, 3)), zorder=0)
    axes.set_xlim(edges)
    axes.set_ylim(edges)
    axes.set_xlabel("what the report states")
    axes.set_ylabel("what was measured")
    axes.set_title(
        f"{len(pairs)} rows with a reported number\n(on the line: as reported)", fontsize=10
    )


def _strip(axes: "Axes", views: Sequence[ClaimView]) -> None:
    """Each report's rows on a line, piled up where they are equally strong."""
    reports = by_report(views)
    for line, rows in enumerate(reports.values()):
        piles: dict[int, int] = {}
        for view in sorted(rows, key=lambda v: (v.verdict, strength(v))):
            x = min(max(strength(view), -FURTHEST), FURTHEST)
            place = round(x / 0.35)
            height = piles[place] = piles.get(place, 0) + 1
            shade, shape = LOOKS[view.verdict]
            fill = shade if view.scale == "full" else "none"
            y = line + 0.25 - 0.055 * (height - 1)
            axes.plot([x], [y], ls="none", marker=shape, color=shade, mfc=fill, ms=5)
    names = [f"report {rows[0].report_number}" for rows in reports.values()]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.7)
    axes.axvline(0, color="#888888", lw=1)
    axes.set_xlim(-FURTHEST - 0.5, FURTHEST + 0.5)
    axes.set_xticks([-8, -4, -2, 0, 2, 4, 8], ["≤ −8", "−4", "−2", "0", "2", "4", "≥ 8"])
    axes.grid(False, axis="y")
    axes.set_xlabel("← against the claim · standard errors · for the claim →")
    axes.set_title(
        f"{len(views)} rows judged over seeds\n(how far the evidence leans)", fontsize=10
    )


def _legend(figure: "Figure", views: Sequence[ClaimView]) -> None:
    from matplotlib.lines import Line2D

    handles = []
    for verdict, (shade, shape) in LOOKS.items():
        for scale, fill in (("full", shade), ("reduced", "none")):
            count = sum((v.verdict, v.scale) == (verdict, scale) for v in views)
            if count:
                label = f"{SYMBOLS[verdict]} {verdict}, {scale} scale ({count})"
                handles.append(
                    Line2D([], [], ls="none", marker=shape, color=shade, mfc=fill, label=label)
                )
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
