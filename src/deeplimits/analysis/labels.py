"""What a network is called in legends and tables."""

from __future__ import annotations

from math import isnan

from deeplimits.activations import Identity, OrnsteinUhlenbeck, Smooth, smooth_name
from deeplimits.networks.network import Network


def number(value: float) -> str:
    """A number in a label: in short, and with all of its digits where fewer are another number."""
    short = f"{value + 0.0:g}"
    return short if float(short) == value or isnan(value) else repr(float(value))


def label_of(network: Network) -> str:
    """A network in a legend: its activation, and its shaping or what scales its branches."""
    if network.uneven:
        return label_of(network.at_width(network.widest)) + ", a width for each layer"
    return network.kind.label(_of_activation(network), network, number)


def _of_activation(network: Network) -> str:
    """Activation and shaping."""
    phi = network.activation
    if isinstance(phi, Identity):
        return "linear"
    if isinstance(phi, OrnsteinUhlenbeck):
        return f"Ornstein–Uhlenbeck ({number(phi.alpha)}, {number(phi.beta)})"
    by = "" if network.shaping is None or network.shaping.by == "width" else " by depth"
    if isinstance(phi, Smooth):
        name = smooth_name(phi.formula)
        details = [f"a = {number(phi.a)}"] * (phi.a != 1) + [f"x₀ = {number(phi.center)}"] * (phi.center != 0)
        text = f"{name} ({', '.join(details)})" if details else name
        return f"{text}, p = {number(network.exponent)}{by}" if network.exponent else f"unshaped {text}"
    text = f"ReLU ({number(phi.c_plus)}, {number(phi.c_minus)})"
    if network.exponent == 0:
        return (
            "unshaped ReLU" if network.slopes.plus == 1 and network.slopes.minus == 0 else f"unshaped {text}"
        )
    return f"{text}, p = {number(network.exponent)}{by}"
