"""Colours of one's own in a figure: each role has one colour of the house, which is replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.drawing.style import FOURTH, LIMIT, NETWORK, SECOND, THIRD
from deeplimits.errors import check_name
from deeplimits.sweep.looks import check_color

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RGB = tuple[float, float, float]

ROLES: Mapping[str, RGB] = {
    "network": NETWORK,
    "limit": LIMIT,
    "second": SECOND,
    "third": THIRD,
    "fourth": FOURTH,
}
"""What has a colour of its own in every figure."""


def checked_colors(colors: Mapping[str, object]) -> dict[RGB, RGB]:
    """Colours of the house, and what takes their place.

    Raises
    ------
    InputError
        If a role is none, or a colour none of Matplotlib's.
    """
    from matplotlib.colors import to_rgb

    chosen = {}
    for role, color in colors.items():
        check_name(role, ROLES, "figure", "colors")
        check_color(color, "figure", f"colors.{role}")
        chosen[ROLES[role]] = to_rgb(color)  # type: ignore[arg-type]  # just checked
    return chosen


def dress(figure: Figure, title: str | None, colors: Mapping[RGB, RGB]) -> None:
    """Give a figure, drawn in the house style, a title and other colours."""
    if colors:
        recolor(figure, colors)
    if title is not None:
        figure.suptitle(title, fontweight="bold")


def recolor(figure: Figure, chosen: Mapping[RGB, RGB]) -> None:
    """Replace colours wherever they stand: lines, areas, marks, texts and what legends show of them. How
    much can be seen through something stays.
    """
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    kinds: tuple[tuple[type, tuple[str, ...]], ...] = (
        (Line2D, ("color", "markerfacecolor", "markeredgecolor")),
        (Patch, ("facecolor", "edgecolor")),
        (Collection, ("facecolor", "edgecolor")),
        (Text, ("color",)),
    )
    for artist in figure.findobj():
        for kind, properties in kinds:
            if isinstance(artist, kind):
                for name in properties:
                    _replace(getattr(artist, f"get_{name}"), getattr(artist, f"set_{name}"), chosen)


def _replace(get: Callable[[], Any], put: Callable[[Any], None], chosen: Mapping[RGB, RGB]) -> None:
    from matplotlib.colors import to_rgba_array

    held = get()
    found = to_rgba_array(held)
    replaced = found.copy()
    for old, new in chosen.items():
        # what has passed through 8 bits is nearly the same
        replaced[np.abs(found[:, :3] - old).max(axis=1) < 2e-3, :3] = new
    if not np.array_equal(found, replaced):
        put(replaced if len(replaced) > 1 else tuple(replaced[0]))
