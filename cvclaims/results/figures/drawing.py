"""A figure as PNG: the same bytes for the same records, in few of them.

This module and those of which it draws alone import matplotlib; `index` imports it once there is
something to draw.
"""

import functools
import io
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from cvclaims.results.figures.axes import COLOURS
from cvclaims.results.figures.groups import Subject
from cvclaims.results.figures.panels import KINDS

DPI = 110
_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "grid.color": "#E4E4E4",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}


def draw(kind: str, subject: Subject) -> bytes | None:
    """A figure of a kind of `KINDS` as PNG; None where the records hold nothing for it."""
    return png(lambda: KINDS[kind](subject), subject.title)


def png(figure_of: Callable[[], Figure | None], title: str) -> bytes | None:
    """What is drawn, the same bytes for the same: no date, and no reader's own matplotlibrc."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        # A name in letters that the font lacks still makes a figure, with boxes for them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = figure_of()
        if figure is None:
            return None
        figure.suptitle(title, fontsize=11, x=0.01, ha="left", parse_math=False, wrap=True)
        figure.set_dpi(DPI)
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()  # once, where `savefig` would lay the figure out twice
    return _small(np.asarray(canvas.buffer_rgba())[:, :, :3])


def _small(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A PNG in 256 colours and without metadata: a third as large, and no one sees it.

    The colours are fixed: a palette taken from the picture would lose the thinnest line's.
    Takes RGB, shape (height, width, 3).
    """
    packed = pixels @ np.array([1 << 16, 1 << 8, 1])
    found, where = np.unique(packed, return_inverse=True)
    colours = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1)
    palette = _palette()
    # The squared distance less the square that all of a pixel's distances share.
    distance = np.square(palette).sum(axis=1) - 2 * colours.astype(np.float32) @ palette.T
    nearest = distance.argmin(axis=1).astype(np.uint8)
    picture = Image.fromarray(nearest[where].reshape(packed.shape))
    picture.putpalette(palette.astype(np.uint8).tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


@functools.cache
def _palette() -> npt.NDArray[np.float32]:
    """Greys, every colour of a line on its way to white, and the heat map's; shape (256, 3)."""
    greys = np.linspace(0, 1, 32)[:, None] * np.ones(3)
    tints = np.linspace(0, 1, 22)[1:, None, None]
    lines = 1 - tints * (1 - np.array([to_rgb(colour) for colour in COLOURS[:-1]]))
    heat = matplotlib.colormaps["cividis"](np.linspace(0, 1, 256 - 32 - 21 * 6))[:, :3]
    colours = np.concatenate([greys, lines.reshape(-1, 3), heat])
    return np.round(255 * colours).astype(np.float32)
