"""What observables, limits and networks are called in figures."""

from __future__ import annotations

from deeplimits.observables import parse

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_LIMITS = {
    "resnet_ode": "ResNet ODE",
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
    """The label of a network, with the minus sign of formulas."""
    return label.replace("-", "−")
