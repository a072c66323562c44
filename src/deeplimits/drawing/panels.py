"""Arrangements of panels that several figures share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deeplimits.drawing.selections import points
from deeplimits.drawing.style import COLUMN, PAGE, legend_below, letter, named, new_figure
from deeplimits.store.study_groups import Groups

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[[Any, Groups, int], None]
"""What draws a point of a study on axes."""


def in_two_columns(count: int) -> tuple[Figure, list[Any]]:
    """A figure with so many panels, two beside each other where there are more than one."""
    columns = min(count, 2)
    rows = -(-count // columns)
    figure, axes = new_figure(rows, columns, COLUMN if columns == 1 else PAGE, 2.4 * rows)
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    return figure, list(axes.flat[:count])


def laws_above_paths(study: Groups, law: Draw, paths: Draw, symbol: str) -> Figure:
    """A column for each point, its law at the last layer above its paths, of ``symbol``."""
    count = points(study).sizes["point"]
    figure, axes = new_figure(2, count, PAGE, 4.2, sharex="row", sharey="row")
    for point, (above, below) in enumerate(axes.T):
        law(above, study, point)
        above.set_ylim(bottom=0)
        paths(below, study, point)
        below.set(xlabel="time t = ℓ/L", xlim=(0, 1))
        below.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes[0, 0].set_ylabel("density")
    axes[1, 0].set_ylabel(symbol)
    letter(axes.flat)
    legend_below(figure, named(axes[:, 0]))
    return figure
