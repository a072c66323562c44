"""A study has each of its points once: networks that are one by different words, such as ``tanh`` and the
expression ``tanh(x)``, are a slip that would cost its price again and count twice in whatever is pooled.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deeplimits.errors import InputError
from deeplimits.networks.network import Network
from deeplimits.sweep.points import Point


def check_distinct(entries: Sequence[int], points: Sequence[Point], where: Path) -> None:
    """Refuse a study with one network at two of its points.

    Parameters
    ----------
    entries
        For each point, which entry of ``networks`` it is from.

    Raises
    ------
    InputError
        If there is one.
    """
    first: dict[str, int] = {}
    for entry, point in zip(entries, points, strict=True):
        key = point.network.fingerprint
        if key in first:
            raise InputError(
                where,
                f"networks.{entry}",
                f"<{_in_words(point.network)}: the same as a point of networks.{first[key]}>"
                if first[key] != entry
                else f"<{_in_words(point.network)}, by two of its values>",
                "each network once at each point of the grid",
            )
        first[key] = entry


def _in_words(network: Network) -> str:
    form = network.canonical_form()
    start = "" if form.get("start") is None else f", start {form['start']:g}"
    name = form["activation"].get("formula", form["activation"]["name"])
    sizes = f"width {form['width']}, depth {form['depth']}"
    inputs = start or (f", correlation {network.correlation():g}" if network.inputs == 2 else "")
    return f"{form['architecture']} of {name}, {sizes}{inputs}, seed {form['seed']}"
