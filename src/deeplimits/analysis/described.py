"""A network as it was understood, in numbers: what a user gave and what follows from it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from deeplimits.activations import (
    SMOOTH,
    Identity,
    OrnsteinUhlenbeck,
    ReluLike,
    ShapedSmooth,
    Slopes,
    Smooth,
    smooth_name,
)
from deeplimits.architectures import architecture
from deeplimits.limits.regime import in_words
from deeplimits.limits.times import network_time
from deeplimits.networks.network import Layer, Network


def described(network: Network) -> dict[str, Any]:
    """A network as strict JSON can hold it.

    Returns
    -------
    - ``architecture``; ``activation``: its ``name`` and parameters as in a point file, and ``formula`` of a
      smooth one; ``shaping`` with ``by`` and ``exponent``, or None; of a residual network
      ``branch_exponent``;
    - ``width``: n, or those of all layers; ``depth``: d; ``depth_over_width``: d/n, or Σ 1/n_ℓ;
    - ``layers``, one entry for each number of units that occurs: ``units``, ``count``, and of their φ_s
      ``slopes`` [s₊, s₋] or ``scale`` s, and of a perceptron ``normalizer`` c;
    - ``inputs``: m; ``gram``: V₀; ``correlation``: ρ₀ of the first pair, or None; ``start``, or None;
    - ``seed``; ``regime``: what limits tell apart, in words; ``physics``: the name of its random stream.
    """
    counts = Counter(network.widths)
    kind = network.kind
    return {
        "architecture": network.architecture,
        "activation": _activation(network),
        "shaping": {"by": network.shaping.by, "exponent": network.shaping.exponent}
        if network.shaping
        else None,
        **({"branch_exponent": network.branch_exponent} if "branch_exponent" in kind.keys else {}),
        "width": network.width if isinstance(network.width, int) else list(network.width),
        "depth": network.depth,
        "depth_over_width": sum(1 / units for units in network.widths)
        if network.residual
        else network_time(network, network.depth),
        "layers": [
            {"units": units, "count": counts[units]} | _layer(layer, kind.normalising)
            for units, layer in network.layer_kinds.items()
        ],
        "inputs": network.inputs,
        "gram": [list(row) for row in network.gram],
        "correlation": network.correlation() if network.inputs > 1 else None,
        "start": network.start,
        "seed": network.seed,
        "regime": in_words(network),
        "physics": network.fingerprint,
    }


def _activation(network: Network) -> dict[str, Any]:
    match network.activation:
        case Identity():
            return {"name": "identity"}
        case ReluLike(plus, minus):
            return {"name": "relu", "c_plus": plus, "c_minus": minus}
        case OrnsteinUhlenbeck(alpha, beta):
            return {"name": "ornstein_uhlenbeck", "alpha": alpha, "beta": beta}
        case Smooth() as phi:
            name = smooth_name(phi.formula)
            known = name if name in SMOOTH else "expression"
            return {"name": known, "formula": phi.formula, "a": phi.a, "center": phi.center}
    raise TypeError(f"{type(network.activation).__name__} has no description")


def _layer(layer: Layer, normalising: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    match layer.phi:
        case Slopes(plus, minus):
            found["slopes"] = [float(plus), float(minus)]
        case ShapedSmooth():
            found["scale"] = float(layer.scale)
    if normalising:
        found["normalizer"] = float(layer.normalizer)
    return found


def in_lines(about: dict[str, Any]) -> list[str]:
    """What ``described`` says, for reading."""
    kind = architecture(about["architecture"]).title.partition(" ")[2]
    width = about["width"]
    units = f"width {width}" if isinstance(width, int) else f"widths {min(width)} to {max(width)}"
    ratio = f"d/n {about['depth_over_width']:.4g}"
    lines = [
        f"network: {kind}, {units}, depth {about['depth']} ({ratio}), seed {about['seed']}",
        f"  activation {_activation_line(about['activation'])}; {_shaping_line(about)}",
    ]
    for layer in about["layers"]:
        where = f"  layers of {layer['units']} units: " if len(about["layers"]) > 1 else "  "
        parts = []
        if "slopes" in layer:
            parts.append("slopes s₊ = {:.8g}, s₋ = {:.8g}".format(*layer["slopes"]))
        if "scale" in layer:
            parts.append(f"scale s = {layer['scale']:.8g}")
        if "normalizer" in layer:
            parts.append(f"normaliser c = {layer['normalizer']:.8g}")
        if parts:
            lines.append(where + ", ".join(parts))
    return [*lines, f"  {_inputs_line(about)}"]


def _activation_line(activation: dict[str, Any]) -> str:
    name = activation["name"]
    if name == "relu":
        return f"relu (c₊ = {activation['c_plus']:g}, c₋ = {activation['c_minus']:g})"
    if name == "ornstein_uhlenbeck":
        return f"{name} (α = {activation['alpha']:g}, β = {activation['beta']:g})"
    if "formula" in activation:
        where = f"a = {activation['a']:g}, centre {activation['center']:g}"
        return f"{name}, f(x) = {activation['formula']} ({where}){_centred(activation)}"
    return str(name)


def _centred(activation: dict[str, Any]) -> str:
    """What becomes of f where φ is not f itself, in words."""
    phi = Smooth(activation["formula"], activation["a"], activation["center"])
    origin, slope = float(phi.origin), float(phi.scale_of_slope)
    if abs(origin) < 1e-12 * abs(slope) and abs(slope - 1) < 1e-12:
        return ""
    moved = "u" if activation["center"] == 0 else f"{activation['center']:g} + u"
    value = f"f({moved})"
    if abs(origin) >= 1e-12 * abs(slope):
        value = f"({value} {'−' if origin > 0 else '+'} {abs(origin):.6g})"
    return f", φ(u) = {value}" + (f" / {slope:.6g}" if abs(slope - 1) >= 1e-12 else "")


def _shaping_line(about: dict[str, Any]) -> str:
    if "branch_exponent" in about:
        return f"branches scaled by d^-{about['branch_exponent']:g}"
    if about["shaping"] is None or about["shaping"]["exponent"] == 0:
        return "unshaped"
    return f"shaped by {about['shaping']['by']}, p = {about['shaping']['exponent']:g}"


def _inputs_line(about: dict[str, Any]) -> str:
    if about["start"] is not None:
        return f"every unit of layer 0 is {about['start']:g}"
    rows = "; ".join(", ".join(f"{value:.6g}" for value in row) for row in about["gram"])
    correlation = "" if about["correlation"] is None else f", ρ₀ = {about['correlation']:.8g}"
    return f"{about['inputs']} input{'s' * (about['inputs'] > 1)}, V₀ = [{rows}]{correlation}"
