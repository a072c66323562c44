"""How figures look, and how they are written: readable at column width, safe for colour-blind readers, and
byte-identical when drawn again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.store.atomic import written_aside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


COLUMN = 3.4
"""Width of one column, inches."""
PAGE = 6.9
"""Width of a page, inches."""

_COLORBLIND = (
    *("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"),
    *("#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"),
)
"""The palette *colorblind* of seaborn, whose import would take a figure most of its time."""
PALETTE = [
    (int(color[1:3], 16) / 255, int(color[3:5], 16) / 255, int(color[5:7], 16) / 255) for color in _COLORBLIND
]
"""Red, green and blue from 0 to 1."""
NETWORK, LIMIT, SECOND, THIRD, FOURTH = (PALETTE[i] for i in (0, 3, 2, 1, 4))
"""One colour a role, in every figure: the network, the limit it is held against, and others beside it."""


LIMITS = (LIMIT, SECOND, THIRD, FOURTH)
"""Colours of several limits in one panel."""
_DASHES = ("-", "--", "-.", ":")


def look(place: int) -> tuple[tuple[float, float, float], str]:
    """Colour and dash of the limit at a place of a list, by each of which it is told from its neighbours."""
    again, first = divmod(place, len(LIMITS))
    return LIMITS[first], _DASHES[(first + again) % len(_DASHES)]


def shades(count: int) -> list[tuple[float, float, float]]:
    """Colours of a series that grows, such as widths: light to dark, told apart in grey too."""
    from matplotlib.colors import LinearSegmentedColormap

    blend = LinearSegmentedColormap.from_list("blend", ["#8cc5e3", "#08306b"])
    return [
        (float(red), float(green), float(blue)) for red, green, blue, _ in blend(np.linspace(0, 1, count))
    ]


GROWTH = r"$\log\,\Vert\varphi(Y_\ell)\Vert\,/\,\Vert\varphi(Y_0)\Vert$"
"""The logarithmic growth of a residual network, in the notation of Hayou 2022."""

_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.3,
    "figure.dpi": 100,
    "savefig.dpi": 250,
    "pdf.fonttype": 42,
    "svg.hashsalt": "deeplimits",
    "svg.fonttype": "none",
    "path.simplify": True,
}


@contextmanager
def house_style() -> Iterator[None]:
    """The settings of Matplotlib under which figures are drawn and written; what they were comes back
    afterwards, for whoever draws in a notebook.
    """
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        for name, value in _SETTINGS.items():
            mpl.rcParams[name] = value  # type: ignore[index]
        yield


def new_figure(rows: int, columns: int, width: float, height: float, **options: Any) -> tuple[Figure, Any]:
    """A figure in the house style with a grid of axes, which no window shows; draw on it under
    ``house_style``.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        return figure, figure.subplots(rows, columns, squeeze=False, **options)


def letter(panels: Iterable[Axes], inside: bool = False) -> None:
    """Name panels (a), (b), … in their order, at their upper left corner; one alone has no need of it.

    Parameters
    ----------
    inside
        Whether the letter stands within the axes, for panels without titles of their own.
    """
    shown = [axis for axis in panels if axis.axison]
    for place, axis in enumerate(shown if len(shown) > 1 else []):
        turns, last = divmod(place, 26)
        name = (chr(96 + turns) if turns else "") + chr(97 + last)
        axis.annotate(
            f"({name})",
            (0, 1),
            xycoords="axes fraction",
            # beside the title, on its line
            xytext=(3, -3) if inside else (-4, 6),
            textcoords="offset points",
            ha="left" if inside else "right",
            va="top" if inside else "baseline",
            fontweight="bold",
        )


def named(axes: Iterable[Axes]) -> dict[str, Any]:
    """What is named in panels, by label, the first of each."""
    found: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return found


def legend_below(figure: Figure, shown: Mapping[str, Any]) -> int:
    """One legend for all panels, below them, in as few rows as there is room for, which are returned; handles
    by label.
    """
    longest = max(map(len, shown), default=0)
    # points that a letter takes, and a handle
    room = int(72 * figure.get_figwidth() / (3.9 * longest + 36))
    rows = -(-len(shown) // max(1, room))
    columns = -(-len(shown) // max(1, rows))
    figure.legend(list(shown.values()), list(shown), loc="outside lower center", ncols=columns)
    return rows


def save(figure: Figure, paths: tuple[Path, ...]) -> list[Path]:
    """Write a figure in every format, in one layout, with no date and no version in it."""
    nothing = {
        "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
        "svg": {"Date": None, "Creator": None},
        "png": {"Software": None},
    }
    with house_style():
        _lay_out(figure)
        for path in paths:
            suffix = path.suffix[1:]
            # into memory: on a disk that is full, Matplotlib fails with words of its own
            drawn = BytesIO()
            figure.savefig(drawn, format=suffix, metadata=nothing[suffix])
            with written_aside(path) as aside:
                aside.write_bytes(drawn.getbuffer())
    return list(paths)


def _lay_out(figure: Figure) -> None:
    """Place everything once, by the size that texts have in pixels, and leave it there: each format would do
    it anew, in as much time as it takes to draw.
    """
    import matplotlib as mpl

    engine = figure.get_layout_engine()
    if engine is None:
        return
    before, figure.dpi = figure.dpi, mpl.rcParams["savefig.dpi"]
    engine.execute(figure)
    figure.dpi = before
    figure.set_layout_engine(None)
