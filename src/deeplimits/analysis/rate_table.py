"""Rates of convergence in a study store: a row for each comparison that asks for one, distance and curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.analysis.distances import Distance
from deeplimits.analysis.labels import label_of
from deeplimits.analysis.rates import fit_rate
from deeplimits.store.studies import dataset
from deeplimits.store.zarr_zip import Group
from deeplimits.sweep.study import Study

_COLUMNS: dict[str, Any] = {
    "entry": np.int64,
    "limit": str,
    "network": str,
    "distance": str,
    "exponent": float,
    "low": float,
    "high": float,
    "constant": float,
    "chi_square": float,
    "points": np.int64,
}


def rate_table(study: Study, found: dict[tuple[int, int], dict[str, Distance]]) -> Group:
    """The rates of ``found``, distances by name of (point, entry); a curve is the points that agree in all
    but width and depth.
    """
    rows: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for j, entry in enumerate(study.compare):
        if entry.rate_in is None:
            continue
        for label, members in _curves(study, [i for i in range(len(study.points)) if (i, j) in found]):
            for name in entry.distances:
                if name not in found[members[0], j]:
                    continue
                sizes = [getattr(study.points[i].network, entry.rate_in) for i in members]
                rate = fit_rate(sizes, [found[i, j][name] for i in members])
                if rate is None:
                    continue
                row = {"entry": j, "limit": entry.limit, "network": label, "distance": name}
                for column, values in rows.items():
                    values.append(row[column] if column in row else getattr(rate, column))
    return dataset({name: ("rate", np.array(rows[name], dtype=kind)) for name, kind in _COLUMNS.items()})


def _curves(study: Study, points: list[int]) -> list[tuple[str, list[int]]]:
    """Points by what they have in common, with its label."""
    curves: dict[tuple[Any, ...], list[int]] = {}
    for i in points:
        network = study.points[i].network
        curves.setdefault((label_of(network), network.gram, network.seed), []).append(i)
    return [(label, members) for (label, *_), members in curves.items()]
