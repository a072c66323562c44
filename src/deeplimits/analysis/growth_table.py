"""The mean growth of residual networks at infinite depth, in a study store: an estimate for each network,
width and time that the study asks for, beside the formulas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.activations import Slopes
from deeplimits.analysis.distances import distances
from deeplimits.analysis.growth import Growth, mean_log_growths, unit_law
from deeplimits.analysis.labels import label_of
from deeplimits.limits.resnet.hayou_growth import initial_rate, mean_growth
from deeplimits.networks.network import Network
from deeplimits.store.arrays import GROUPS, table_of
from deeplimits.sweep.growth import growing
from deeplimits.sweep.study import Study

if TYPE_CHECKING:
    import xarray as xr


def growth_table(study: Study) -> xr.Dataset:
    """A row for each network and time: ``mean`` and standard ``error`` of the estimate of E log ‖φ(X_t)‖ /
    ‖φ(X_0)‖, ``variance`` of the growth and ``positive_variance`` of the number of positive units, both of
    the deepest networks, and living ``samples``; what Theorem 1 and Proposition 10 of Hayou 2022 print, and
    the corrected mean of ReLU, NaN for other slopes. ``unit_estimate`` is the Kolmogorov distance of a unit
    of the deepest networks to its law at infinite width, the noise floor taken off, ``unit_error`` its
    standard error.
    """
    rows: dict[str, list[Any]] = {name: [] for name in GROUPS["growth"]}
    for network in growing(study.points) if study.growth else []:
        for row in _of_network(study, network):
            for name, value in row.items():
                rows[name].append(value)
    return table_of("growth", rows, steps=max(study.growth.depths) if study.growth else 0)


def _of_network(study: Study, network: Network) -> list[dict[str, Any]]:
    """Rows of a network, one for each time, in the order of the study; all times are of the same paths."""
    assert study.growth
    slopes = float(network.slopes.plus), float(network.slopes.minus)
    times = sorted(set(study.growth.times))
    growths = mean_log_growths(
        network.units, times, study.growth.depths, study.growth.samples, network.seed, slopes=slopes
    )
    found = dict(zip(times, growths, strict=True))
    return [_row(study, network, time, found[time], slopes) for time in study.growth.times]


def _row(
    study: Study, network: Network, time: float, found: Growth, slopes: tuple[float, float]
) -> dict[str, Any]:
    assert study.growth
    distance = distances(unit_law(time, slopes), found.unit, ("ks",))["ks"]
    relu = network.slopes == Slopes(1, 0)
    return {
        "network": label_of(network),
        "width": network.units,
        "seed": network.seed,
        "time": time,
        "mean": found.mean,
        "error": found.error,
        "variance": found.variance,
        "positive_variance": found.positive_variance,
        "samples": found.samples,
        "printed": time * initial_rate(network.units, *slopes),
        "corrected": mean_growth(network.units, time) if relu else np.nan,
        "unit_estimate": distance.estimate,
        "unit_error": distance.error,
    }
