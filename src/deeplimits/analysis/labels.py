"""What a network is called in legends and tables."""

from __future__ import annotations

from dataclasses import replace

from deeplimits.activations import SMOOTH, Identity, OrnsteinUhlenbeck, Smooth
from deeplimits.formulas import Formula
from deeplimits.networks.network import Network


def label_of(network: Network) -> str:
    """A network in a legend: its activation, and its shaping or what scales its branches."""
    if network.residual:
        known = {0.5: "", 0.0: ", branches not scaled"}
        branch = known.get(network.branch_exponent, f", branches scaled by d^-{network.branch_exponent:g}")
        plain = replace(network, architecture="mlp", shaping=None, start=None)
        return "ResNet, " + label_of(plain).removeprefix("unshaped ") + branch
    if network.uneven:
        return label_of(network.at_width(network.widest)) + ", a width for each layer"
    phi = network.activation
    if isinstance(phi, Identity):
        return "linear"
    if isinstance(phi, OrnsteinUhlenbeck):
        return f"Ornstein–Uhlenbeck ({phi.alpha:g}, {phi.beta:g})"
    by = "" if network.shaping is None or network.shaping.by == "width" else " by depth"
    if isinstance(phi, Smooth):
        name = next((name for name, text in SMOOTH.items() if Formula(text).text == phi.formula), phi.formula)
        details = [f"a = {phi.a:g}"] * (phi.a != 1) + [f"x₀ = {phi.center:g}"] * (phi.center != 0)
        text = f"{name} ({', '.join(details)})" if details else name
        return f"{text}, p = {network.exponent:g}{by}" if network.exponent else f"unshaped {text}"
    text = f"ReLU ({phi.c_plus:g}, {phi.c_minus:g})"
    if network.exponent == 0:
        return (
            "unshaped ReLU" if network.slopes.plus == 1 and network.slopes.minus == 0 else f"unshaped {text}"
        )
    return f"{text}, p = {network.exponent:g}{by}"
