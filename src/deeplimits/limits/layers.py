"""Coefficients of a limit that change from layer to layer, where widths differ: as pieces of time in which
they do
not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from deeplimits.limits.times import network_time, one_value
from deeplimits.networks.network import Network

_PIECES = 16
"""A coefficient that changes more often is averaged over as many spans of equal time."""

Pieces = list[tuple[float, float]]


def in_pieces(network: Network, coefficients: Sequence[float]) -> Pieces:
    """A coefficient per unit of time, in pieces: the end of each piece, ascending, and its value up to there.

    Parameters
    ----------
    coefficients
        Of a layer of each number of units that occurs, in ascending order of these.
    """
    end = network_time(network, network.depth)
    if one_value(network, coefficients) is not None:
        return [(end, coefficients[0])]
    of_units = dict(zip(network.layer_kinds, coefficients, strict=True))
    runs = [(units, sum(1 for _ in run)) for units, run in groupby(network.widths)]
    pieces: Pieces = []
    time = 0.0
    if len(runs) <= _PIECES:
        for units, count in runs:
            time += count / units
            pieces.append((time, of_units[units]))
        return pieces
    begun, moved = 0.0, 0.0
    for units in network.widths:
        time, moved = time + 1 / units, moved + of_units[units] / units
        if time - begun >= (end / _PIECES) * (1 - 1e-9):
            pieces.append((time, moved / (time - begun)))
            begun, moved = time, 0.0
    return [*pieces, (time, moved / (time - begun))] if time > begun else pieces
