"""A figure as SVG: the same bytes for the same records, to be read on light pages and dark ones.

This module and those of which it draws alone import matplotlib; `index` imports it once there is
something to draw.
"""

import io
import re
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from cvclaims.results.figures.axes import INK
from cvclaims.results.figures.groups import Subject
from cvclaims.results.figures.panels import KINDS

# Names of fonts with about the widths of the one that the layout is made for, or with less.
FONTS = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"
_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "figure.facecolor": "none",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.alpha": 0.22,
    "grid.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",  # letters stay letters: small files, and text that can be found
    "svg.hashsalt": "cvclaims",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
_NOTHING_OF_THE_MAKER = dict.fromkeys(("Date", "Creator", "Format", "Type"))
# The ink is legible on white and on black; where a reader's pages are dark it gets lighter still.
_SCHEMES = (
    f"<style>svg{{color:{INK}}}@media (prefers-color-scheme:dark){{svg{{color:#c9d1d9}}}}</style>"
)


def draw(kind: str, subject: Subject) -> bytes | None:
    """A figure of a kind of `KINDS` as SVG; None where the records hold nothing for it."""
    return svg(lambda: KINDS[kind](subject), subject.title)


def svg(figure_of: Callable[[], Figure | None], title: str) -> bytes | None:
    """What is drawn, the same bytes for the same: no date, and no reader's own matplotlibrc."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        # A name in letters that the font lacks still makes a figure.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = figure_of()
        if figure is None:
            return None
        if title:
            figure.suptitle(title, fontsize=11, x=0.01, ha="left", parse_math=False, wrap=True)
        drawn = io.StringIO()
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(drawn, metadata=_NOTHING_OF_THE_MAKER)
    return _small(drawn.getvalue()).encode()


def _small(text: str) -> str:
    """Without the maker's name, in tenths of a point, with letters of the reader's own fonts."""
    text = re.sub(
        r"<!DOCTYPE.*?>\s*|<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", text, flags=re.S
    )
    text = re.sub(r' (?:d|x|y|width|height|transform)="[^"]*"', _rounded, text)
    text = text.replace(INK.lower(), "currentColor").replace("'DejaVu Sans'", FONTS)
    text = re.sub(r"\n\s*(?=[LCQMz\"])", " ", re.sub(r"\n +", "\n", text))
    return re.sub(r"(<svg.*?>)", rf"\1{_SCHEMES}", text, count=1, flags=re.S)


def _rounded(attribute: re.Match[str]) -> str:
    """Coordinates alone: numbers that are shown stand in text, shares of colours in styles."""
    return re.sub(r"-?\d+\.\d{2,}", lambda x: f"{float(x[0]):.1f}".removesuffix(".0"), attribute[0])
