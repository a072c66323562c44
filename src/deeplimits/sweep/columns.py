"""A network from its row of a table: the inverse of ``axes``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deeplimits.activations import Activation, Identity, ReluLike, Smooth
from deeplimits.architectures import recursion_of
from deeplimits.networks.network import Network, Shaping


def perceptron_of(columns: Mapping[str, Any]) -> Network | None:
    """The perceptron with these values of the columns of ``AXES``; None of any other network.

    Parameters
    ----------
    columns
        ``architecture``, ``activation`` and what belongs to it, ``shaping``, ``exponent``, ``width``,
        ``widths``, ``depth``, ``gram`` and ``seed``.
    """
    phi: Activation
    match str(columns["activation"]):
        case "relu":
            phi = ReluLike(float(columns["c_plus"]), float(columns["c_minus"]))
        case "identity":
            phi = Identity()
        case "smooth":
            phi = Smooth(str(columns["formula"]), float(columns["a"]), float(columns["center"]))
        case _:
            return None
    if recursion_of(str(columns["architecture"])) != "plain":
        return None
    by, widths = str(columns["shaping"]), str(columns["widths"])
    shaping = None if by == "" else Shaping("depth" if by == "depth" else "width", float(columns["exponent"]))
    gram = tuple(tuple(float(value) for value in row) for row in json.loads(str(columns["gram"])))
    return Network(
        phi,
        tuple(json.loads(widths)) if widths else int(columns["width"]),
        int(columns["depth"]),
        gram,
        int(columns["seed"]),
        shaping,
    )


NEEDED = (
    "architecture",
    "activation",
    "formula",
    "a",
    "center",
    "c_plus",
    "c_minus",
    "shaping",
    "exponent",
    "width",
    "widths",
    "depth",
    "gram",
    "seed",
)
"""Columns that a perceptron is made of."""
