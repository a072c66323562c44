"""Points: a network at one width, depth, input set and seed, and the layers to record.

Simulation jobs read no other files than todos, and so nothing that checks what users write is imported here:
it makes up a third of what a job imports.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deeplimits.activations import Activation, Identity, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.errors import InputError
from deeplimits.networks.network import Network, Shaping

MOST_LAYERS = 1_000_000
"""Recorded layers of a point."""


@dataclass(frozen=True, slots=True)
class Point:
    """A network and what is recorded of it: the layers (ascending), and whether also gradients and the
    output.

    Parameters
    ----------
    network
        The network.
    layers
        Recorded layers, ascending; 0 is the input.
    gradients, output
        Whether they are recorded too.

    Examples
    --------
    >>> from deeplimits import Network, ReluLike, simulate
    >>> network = Network(ReluLike(), width=16, depth=4, gram=((1.0,),))
    >>> simulate(Point(network, (0, 4)), 100).log_variance.shape
    (100, 2, 1)
    """

    network: Network
    layers: tuple[int, ...]
    gradients: bool = False
    output: bool = False


def recorded_layers(
    spec: int | list[int] | Literal["all"], depth: int, where: Path, key: str
) -> tuple[int, ...]:
    """The layers that ``spec`` asks for at this depth: a number of evenly spaced ones, a list, or all."""
    if spec == "all" or (isinstance(spec, int) and spec > depth):
        if depth >= MOST_LAYERS:
            found = spec if isinstance(spec, int) else f"<all of the {depth:,} layers>"
            raise InputError(where, key, found, f"at most {MOST_LAYERS:,} layers")
        return tuple(range(depth + 1))
    if isinstance(spec, int):
        if spec == 1:
            return (depth,)
        if spec > MOST_LAYERS:
            raise InputError(where, key, spec, f"at most {MOST_LAYERS:,} layers")
        intervals = spec - 1
        return tuple(sorted({(2 * i * depth + intervals) // (2 * intervals) for i in range(spec)}))
    layers = sorted(set(spec))
    if not layers or layers[-1] > depth:
        raise InputError(where, key, list(spec), f"layers between 0 (the input) and the depth, {depth}")
    return tuple(layers)


def network_from_form(form: dict[str, Any]) -> Network:
    """The network whose ``canonical_form()`` this is."""
    shape, width = form["shaping"], form["width"]
    residual = {name: form[name] for name in ("branch_exponent", "start") if name in form}
    return Network(
        activation=_ACTIVATIONS[form["activation"]["name"]](
            **{key: value for key, value in form["activation"].items() if key != "name"}
        ),
        width=width if isinstance(width, int) else tuple(width),
        depth=form["depth"],
        gram=tuple(tuple(row) for row in form["gram"]),
        seed=form["seed"],
        shaping=Shaping(shape["by"], shape["exponent"]) if shape else None,
        architecture=form["architecture"],
        **residual,
    )


_ACTIVATIONS: dict[str, type[Activation]] = {
    "identity": Identity,
    "ornstein_uhlenbeck": OrnsteinUhlenbeck,
    "relu": ReluLike,
    "smooth": Smooth,
}
