"""What labels the points of a study store: every number and name by which claims, figures and queries choose
them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.analysis.labels import label_of
from deeplimits.store.studies import Columns
from deeplimits.sweep.study import Study


def coordinates_of(study: Study) -> Columns:
    """Coordinates along ``point``, and ``layer`` [point, record], −1 where a point records fewer."""
    networks = [point.network for point in study.points]
    activations = [network.activation for network in networks]
    return {
        "width": ("point", [network.widest for network in networks]),
        "depth": ("point", [network.depth for network in networks]),
        "exponent": ("point", [network.exponent for network in networks]),
        "architecture": ("point", [network.architecture for network in networks]),
        "branch_exponent": (
            "point",
            [network.branch_exponent if network.residual else np.nan for network in networks],
        ),
        "start": ("point", [np.nan if network.start is None else network.start for network in networks]),
        "activation": ("point", [type(a).__name__.lower().removesuffix("like") for a in activations]),
        "c_plus": ("point", [a.c_plus if isinstance(a, ReluLike) else 0.0 for a in activations]),
        "c_minus": ("point", [a.c_minus if isinstance(a, ReluLike) else 0.0 for a in activations]),
        "formula": ("point", [a.formula if isinstance(a, Smooth) else "" for a in activations]),
        "a": ("point", [a.a if isinstance(a, Smooth) else np.nan for a in activations]),
        "center": ("point", [a.center if isinstance(a, Smooth) else np.nan for a in activations]),
        "alpha": ("point", [a.alpha if isinstance(a, OrnsteinUhlenbeck) else np.nan for a in activations]),
        "beta": ("point", [a.beta if isinstance(a, OrnsteinUhlenbeck) else np.nan for a in activations]),
        "correlation_0": (
            "point",
            [network.correlation() if network.inputs > 1 else np.nan for network in networks],
        ),
        "seed": ("point", [network.seed for network in networks]),
        "inputs": ("point", [network.inputs for network in networks]),
        "normals": ("point", [network.normals_per_sample for network in networks]),
        "physics": ("point", [network.physics_hash for network in networks]),
        "network": ("point", [label_of(network) for network in networks]),
        "layer": (("point", "record"), _layers(study)),
    }


def _layers(study: Study) -> NDArray[np.int64]:
    layers = np.full((len(study.points), max(len(point.layers) for point in study.points)), -1, np.int64)
    for i, point in enumerate(study.points):
        layers[i, : len(point.layers)] = point.layers
    return layers
