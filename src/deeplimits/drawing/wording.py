"""What observables, limits and networks are called in figures."""

from __future__ import annotations

import re

from deeplimits.observables import parse

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_LIMITS = {
    "resnet_ode": "ResNet ODE",
    "exact": "exact law",
    "exact_variance": "exact law",
    "pre_norm_ode": "pre-norm ODE",
    "layer_norm_sde": "LayerNorm SDE",
    "matched_layer_norm_sde": "matched LayerNorm SDE",
    "second_order_sde": "second-order SDE",
    "linear_second_order": "linear networks, second order",
    "markov_chain": "Markov chain",
    "unshaped_corrected": "corrected unshaped law",
    "unshaped_euler": "SDE of unshaped networks (Euler)",
    "ornstein_uhlenbeck": "Ornstein–Uhlenbeck process",
    "hayou_relu_n1": "geometric Brownian motion",
    "ln24_theorem_4_1_printed": "Theorem 4.1 as printed",
    "ln24_eq_2_14_printed": "equation (2.14) as printed",
    "h22_theorem_1_printed": "Theorem 1 as printed",
    "linear": "linear networks’ SDE",
    "smooth_variance": "variance SDE",
    "unshaped": "law of unshaped networks",
    "hayou_sde": "Hayou’s SDE",
    "mckean_vlasov": "McKean–Vlasov equation",
}


def limit_text(name: str) -> str:
    """A limit in a legend."""
    words = {"sde": "SDE", "ode": "ODE", "euler": "(Euler)"}
    return _LIMITS.get(name, " ".join(words.get(word, word) for word in name.split("_")))


def observable_text(name: str) -> str:
    """An observable on an axis, such as *correlation of inputs 0 and 2*."""
    observable = parse(name)
    text = observable.kind.replace("_", " ")
    if observable.name == observable.kind:
        return text
    which = "input" if len(observable.inputs) == 1 else "inputs"
    return f"{text} of {which} " + " and ".join(map(str, observable.inputs))


def symbol(name: str) -> str:
    """An observable in a crowded legend, such as ρ₀₂."""
    observable = parse(name)
    if not observable.record.symbol:
        return observable_text(name)
    inputs = "" if observable.name == observable.kind else "".join(map(str, observable.inputs))
    return observable.record.symbol + inputs.translate(_SUBSCRIPTS)


def network_text(label: str) -> str:
    """The label of a network, with the minus sign of formulas; what joins two words stays a hyphen."""
    return re.sub(r"(?<![^\W\d])-|-(?![^\W\d])", "−", label)
