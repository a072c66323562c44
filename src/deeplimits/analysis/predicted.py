"""What theory predicts of a network: a limit, its law at a layer, and the grounds that it is taken on.

Nothing that is no answer leaves this module: a limit that is not for the network, a layer at which the
observable does not exist, and a law that is not a number are refused, with what can be asked in their place.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from deeplimits.errors import InputError, check_name, unsolvable
from deeplimits.gaussian import bounded
from deeplimits.laws import About, Law
from deeplimits.limits import choose, registry
from deeplimits.limits.base import Limit
from deeplimits.limits.choice import LARGEST_ERROR, choices
from deeplimits.networks.network import Network
from deeplimits.observables import parse
from deeplimits.store.kept_laws import marginals
from deeplimits.sweep.activation import check_activation

_MOST_POINTS = 1e7
"""Of expectations for one answer: some seconds."""


def predicted(
    network: Network,
    observable: str,
    name: str | None = None,
    layer: int | None = None,
    *,
    matched: bool = False,
    where: str | Path = "limit",
) -> Law:
    """The law of ``observable`` at ``layer`` (the last by default), which knows what it is ``about``.

    Parameters
    ----------
    name
        The limit; by default the law of the finite network where it takes seconds, or one right to second
        order, and else that of the network's regime.
    matched
        Take the law with the network's own constants, at its own widths and depth.
    where
        What an error names as the place of the mistake.

    Raises
    ------
    InputError
        If there is no such observable, limit or layer; if the limit is not for this network; or if the
        observable is not a number there.
    """
    found = parse(observable, where, "observable")
    at = network.depth if layer is None else layer
    if not 0 <= at <= network.depth:
        raise InputError(where, "layer", at, f"a layer between 0 (the input) and the depth, {network.depth}")
    if found.inputs[-1] >= network.inputs:
        needed = f"at least {found.inputs[-1] + 1} inputs for {observable}"
        raise InputError(where, "inputs", network.inputs, needed)
    if "record" not in found.record.dimensions and at != network.depth:
        raise InputError(where, "layer", at, f"{network.depth}: {observable} is of the last layer")
    if name is not None:
        limit = _named(network, observable, name, where)
        reason = f"it was asked for by name: {limit.label}"
        return _answer(limit, network, observable, at, where, reason)
    if matched:
        chosen = choose(network, observable, matched=True)
        return _answer(chosen.limit, network, observable, at, where, chosen.reason)
    return _best(network, observable, at, where)


def _best(network: Network, observable: str, layer: int, where: str | Path) -> Law:
    """The law of the finite network where it is to be had, else that of the limit, and why not the former."""
    hindered = ""
    candidates = list(choices(network, observable, layer))
    for chosen in candidates:
        last = chosen is candidates[-1]
        try:
            law = _answer(chosen.limit, network, observable, layer, where, chosen.reason + hindered)
        except InputError as error:
            if last:
                raise
            hindered += f"; {chosen.limit.name} was not taken: {error.expected}"
            continue
        assert law.about is not None
        stated = law.about.error
        if last or stated is None or stated <= LARGEST_ERROR:
            return law
        hindered += f"; {chosen.limit.name} was not taken: its stated error is {stated:.2g}"
    raise AssertionError("the last candidate answers or raises")


def _answer(limit: Limit, network: Network, observable: str, at: int, where: str | Path, reason: str) -> Law:
    """A limit's law, which knows what it is about."""
    with warnings.catch_warnings(), bounded(_MOST_POINTS):
        # arithmetic that is no number ends as an error with a reason
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            law = _solved(limit, network, observable, at, where)
            about = _about(limit, law, network, observable, at, reason)
        except InputError as error:
            if error.key or error.found != limit.name:
                raise
            expected = error.expected + _others(limit, network, observable)
            raise InputError(where, "limit", limit.name, expected) from error
        except (ArithmeticError, np.linalg.LinAlgError) as error:
            expected = unsolvable(observable, error) + _others(limit, network, observable)
            raise InputError(where, "limit", limit.name, expected) from error
    # a law may be shared: what it is about belongs to a copy
    answer = copy.copy(law)
    object.__setattr__(answer, "about", about)
    return answer


def _about(limit: Limit, law: Law, network: Network, observable: str, layer: int, reason: str) -> About:
    seen = network.of_inputs(parse(observable).inputs)
    return About(
        limit=limit.name,
        source=limit.source,
        observable=observable,
        layer=layer,
        time=float(limit.time(network, layer)),
        network=network,
        reason=reason,
        warning=limit.warning(network, layer, observable),
        error=limit.error(network, layer, observable, law),
        explosion_probability=limit.explosion_probability(seen, layer),
        explosion_probability_ever=limit.explosion_probability_ever(seen),
    )


def _others(limit: Limit, network: Network, observable: str) -> str:
    """Which other limits are for a network, after a reason."""
    names = [
        each.name
        for each in registry().values()
        if each is not limit and each.refusal(network, observable) is None
    ]
    return f"; other limits of this network: {', '.join(names)}" if names else ""


def _named(network: Network, observable: str, name: str, where: str | Path) -> Limit:
    check_name(name, registry(), where, "limit")
    limit, kind = registry()[name], parse(observable).kind
    if kind not in limit.spoken:
        expected = f"one that {name} speaks of: " + ", ".join(limit.spoken)
        raise InputError(where, "observable", observable, expected)
    reason = limit.refusal(network, observable)
    if reason is not None:
        others = [each.name for each in registry().values() if each.refusal(network, observable) is None]
        instead = "limits of this network: " + ", ".join(others) if others else "no limit speaks of it here"
        raise InputError(where, "limit", name, f"a limit for this network: {reason}; {instead}")
    return limit


def _solved(limit: Limit, network: Network, observable: str, layer: int, where: str | Path) -> Law:
    """The law, or why there is none at this layer and where there is one."""
    if limit.kind == "sampled":
        check_activation(network, where, "activation")
    law = _law(limit, network, observable, layer)
    if not (np.isnan(law.mean) or np.isnan(law.quantile(0.5))):
        return law
    found = f"<no number at layer {layer}>"
    expected = f"a layer where {observable} of this network exists"
    if limit.explosion_probability(network, layer) == 1:
        expected += f" in {limit.name}, whose variance has exploded by then"
    else:
        near_layers = _nearest(layer, network.depth)
        known = (near for near in near_layers if not np.isnan(_law(limit, network, observable, near).mean))
        first = next(known, None)
        expected += f"; layer {first} has one" if first is not None else ""
    raise InputError(where, "layer", found, expected + _others(limit, network, observable))


def _law(limit: Limit, network: Network, observable: str, layer: int) -> Law:
    return marginals(limit.name, [(network, [layer], observable)])[0][0]


def _nearest(layer: int, depth: int) -> Sequence[int]:
    """Layers to ask in place of one without an answer: a few that follow."""
    return range(layer + 1, min(layer + 3, depth) + 1)


def not_finite(law: Law, quantiles: Mapping[str, float]) -> dict[str, str]:
    """Why the mean, the standard deviation or a quantile is infinite, by ``mean``, ``std`` or the level of
    ``quantiles``; only what is.
    """
    values = {"mean": law.mean, "std": law.std, **quantiles}
    found = {}
    for name, value in values.items():
        if not np.isfinite(value):
            found[name] = f"infinite: {_why(law, value if not np.isnan(value) else np.inf)}"
    return found


def _why(law: Law, value: float) -> str:
    sign, number = ("+", np.inf) if value > 0 else ("−", -np.inf)
    mass = law.mass(number)
    other = law.mass(-number)
    if mass == 0 and other > 0:
        sign, mass = ("−" if sign == "+" else "+"), other
    if mass == 0:
        return "it is beyond the largest floating-point number"
    part = "all networks have" if mass == 1 else f"a part {mass:.4g} of the networks has"
    what = "exploded by then, which counts as +∞" if sign == "+" else "the value −∞ there, the logarithm of 0"
    return f"{part} {what}"
