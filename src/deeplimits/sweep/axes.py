"""The axes of a sweep as columns: every number and name by which one network is told from another. All tables
have them, whether they are made from receipts or from study stores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from deeplimits.activations import Identity
from deeplimits.networks.network import Network
from deeplimits.variables import Variable, text, whole

AXES = {
    "architecture": text("name of the architecture, such as mlp or resnet"),
    "activation": text("relu, identity, smooth or ornstein_uhlenbeck"),
    "formula": text("f of a smooth activation; empty elsewhere"),
    "a": Variable("a of a smooth activation; NaN elsewhere"),
    "center": Variable("where a smooth activation is centred; NaN elsewhere"),
    "alpha": Variable("α of ornstein_uhlenbeck; NaN elsewhere"),
    "beta": Variable("β of ornstein_uhlenbeck; NaN elsewhere"),
    "c_plus": Variable("c₊ of relu, 0 of identity; NaN elsewhere"),
    "c_minus": Variable("c₋ of relu, 0 of identity; NaN elsewhere"),
    "shaping": text("width or depth, whose power shapes the activation; empty where it is unshaped"),
    "exponent": Variable("shaping exponent p; 0 where the activation is unshaped"),
    "branch_exponent": Variable("b of a resnet, whose branch is scaled by d^-b; NaN elsewhere"),
    "width": whole("units of a hidden layer, n; of the largest where they differ"),
    "widths": text("units of each hidden layer, as a list, where they differ; empty elsewhere"),
    "depth": whole("hidden layers, d", units="layers"),
    "inputs": whole("number of inputs"),
    "correlation_0": Variable("ρ₀ of inputs 0 and 1; NaN of one input"),
    "gram": text("V₀, the Gram matrix of the inputs, as a list of rows"),
    "start": Variable("every unit of layer 0 of a resnet that starts from a state of its own; NaN elsewhere"),
    "seed": whole("different seeds are independent networks", units=""),
}
"""Columns, in their order."""


def axes_of(network: Network) -> dict[str, Any]:
    """The columns of ``AXES`` of a network."""
    return axes_of_form(network.canonical_form()) | {"exponent": network.exponent}


def axes_of_form(form: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of ``AXES`` of the network of a canonical form; lists are written as in JSON."""
    activation, width, gram = form["activation"], form["width"], form["gram"]
    shaping, start = form["shaping"] or {}, form.get("start")
    slope = 0.0 if activation["name"] == "identity" else math.nan
    return {
        "architecture": form["architecture"],
        "activation": activation["name"],
        "formula": activation.get("formula", ""),
        "a": activation.get("a", math.nan),
        "center": activation.get("center", math.nan),
        "alpha": activation.get("alpha", math.nan),
        "beta": activation.get("beta", math.nan),
        "c_plus": activation.get("c_plus", slope),
        "c_minus": activation.get("c_minus", slope),
        "shaping": shaping.get("by", ""),
        "exponent": shaping.get("exponent", 0.0),
        "branch_exponent": form.get("branch_exponent", math.nan),
        "width": width if isinstance(width, int) else max(width),
        "widths": "" if isinstance(width, int) else str(width),
        "depth": form["depth"],
        "inputs": len(gram),
        "correlation_0": math.nan if len(gram) == 1 else _correlation(gram[0][0], gram[1][1], gram[0][1]),
        "gram": str(gram),
        "start": math.nan if start is None else start,
        "seed": form["seed"],
    }


@lru_cache(maxsize=4096)
def _correlation(first: float, second: float, product: float) -> float:
    """ρ₀ of two inputs, from their entries of V₀."""
    return Network(Identity(), 1, 1, ((first, product), (product, second))).correlation()
