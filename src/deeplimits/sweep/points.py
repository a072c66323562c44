"""Points: a network at one width, depth, input set and seed, and the layers to record."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deeplimits.activations import (
    Activation,
    Identity,
    OrnsteinUhlenbeck,
    ReluLike,
    ShapedSmooth,
    Slopes,
    Smooth,
)
from deeplimits.engines import MAX_INPUTS
from deeplimits.engines.backward import check_gradients
from deeplimits.engines.tables import NoTable, table
from deeplimits.errors import InputError, nearest_name
from deeplimits.formulas import FormulaError
from deeplimits.networks.network import Gram, Network, Shaping
from deeplimits.sweep.models import (
    ActivationModel,
    InputsModel,
    NetworkModel,
    PointModel,
    ShapingModel,
    validated,
)
from deeplimits.sweep.yamlfile import read_mapping

_TOLERANCE = 1e-9
"""How far below zero the smallest eigenvalue of a Gram matrix may be by rounding, relative to the largest."""

_REACH = 2.0**60
"""Of the numbers of an activation that grows faster than a line."""
_LONGEST = 24
"""Of its sum of squared branch factors: unscaled branches of 24 layers stay within 2^100."""


@dataclass(frozen=True, slots=True)
class Point:
    """A network and what is recorded of it: the layers (ascending), and whether also gradients and the
    output.
    """

    network: Network
    layers: tuple[int, ...]
    gradients: bool = False
    output: bool = False


def load_point(path: Path) -> Point:
    """Read point.yaml.

    Raises
    ------
    InputError
        For whatever is wrong with the file.
    """
    model = validated(PointModel, read_mapping(path), path)
    check_architecture(model, path, "")
    width, depth = _size(model, path)
    start = model.inputs.start
    if start is not None:
        check_start(start, model, path, "inputs.start")
    network = Network(
        activation=activation(model.activation, path, "activation"),
        width=width if isinstance(width, int) else max(width),
        depth=depth,
        gram=inputs_gram(model.inputs, path),
        seed=model.seed,
        shaping=shaping(model.shaping),
        architecture=model.architecture,
        branch_exponent=model.branch_exponent,
        start=start,
        layer_widths=None if isinstance(width, int) else width,
    )
    check_activation(network, path, "activation")
    if model.record.gradients:
        check_gradients(network, path)
    layers = recorded_layers(model.record.layers, depth, path, "record.layers")
    return Point(network, layers, model.record.gradients, model.record.output)


def _size(model: PointModel, where: Path) -> tuple[int | tuple[int, ...], int]:
    """Width, or the widths of the layers, and depth."""
    if isinstance(model.width, int):
        if model.depth is None:
            raise InputError(where, "depth", "<nothing>", "this key, which has no default")
        return model.width, model.depth
    check_layer_widths(model.width, model, where, "width")
    if model.depth not in (None, len(model.width)):
        raise InputError(where, "depth", model.depth, f"{len(model.width)}, the length of width, or nothing")
    return one_spelling(model.width), len(model.width)


def one_spelling(widths: Sequence[int]) -> int | tuple[int, ...]:
    """The widths of layers; one number where all are equal, so that equal networks are one."""
    return widths[0] if len(set(widths)) == 1 else tuple(widths)


def check_architecture(model: NetworkModel, where: Path, prefix: str) -> None:
    """Refuse what an architecture does not have.

    Raises
    ------
    InputError
        For the shaping of a residual network, and for the branch exponent or the activation of one elsewhere.
    """
    if model.architecture == "resnet":
        if model.shaping is not None:
            expected = "nothing: a resnet has no shaping; its branch is scaled by branch_exponent"
            raise InputError(where, f"{prefix}shaping", "<a shaping>", expected)
        return
    if "branch_exponent" in model.model_fields_set:
        expected = "nothing: only a resnet has a branch"
        raise InputError(where, f"{prefix}branch_exponent", model.branch_exponent, expected)
    if model.activation.name == "ornstein_uhlenbeck":
        expected = "another activation: this one is of the branch of a resnet, and cannot be normalised"
        raise InputError(where, f"{prefix}activation.name", model.activation.name, expected)


def check_start(start: float, model: NetworkModel, where: Path, key: str) -> None:
    """Refuse a start that is no state of a residual network.

    Raises
    ------
    InputError
        For any other architecture, for 0, and for what has no square.
    """
    if model.architecture != "resnet":
        expected = "correlation or gram: only a resnet starts from a state of its own"
        raise InputError(where, key, start, expected)
    if not 0 < start * start < math.inf:
        raise InputError(where, key, start, "a number other than 0 with a finite square that is not 0")


def check_layer_widths(widths: Sequence[int], model: NetworkModel, where: Path, key: str) -> None:
    """Refuse a width per layer of a residual network, whose layers are added to one another."""
    if model.architecture == "resnet":
        raise InputError(where, key, list(widths), "one number: all layers of a resnet have one width")


def activation(model: ActivationModel, where: Path, key: str) -> Activation:
    """The activation that a file describes.

    Raises
    ------
    InputError
        If a formula cannot be read.
    """
    if model.name == "identity":
        return Identity()
    if model.name == "relu":
        return ReluLike(model.c_plus, model.c_minus)
    if model.name == "ornstein_uhlenbeck":
        if model.alpha == 0:
            raise InputError(where, f"{key}.alpha", model.alpha, "a number other than 0")
        return OrnsteinUhlenbeck(model.alpha, model.beta)
    try:
        return Smooth.of(model.expression or model.name, model.a, model.center)
    except FormulaError as error:
        nearest = nearest_name(error.found, error.names)
        raise InputError(where, f"{key}.expression", error.found, error.expected, nearest) from None


def shaping(model: ShapingModel | None) -> Shaping | None:
    """The shaping that a file describes."""
    return Shaping(model.by, model.exponent) if model else None


def check_activation(network: Network, where: Path, key: str) -> None:
    """Refuse what is no activation: zero everywhere, not smooth or flat at its centre, steeper than a line
    far away, or shaped so little that it cannot be normalised.
    """
    for width in sorted(set(network.layer_widths or [network.width])):
        phi = network.at_width(width).phi
        if isinstance(phi, Slopes) and phi.plus == 0 and phi.minus == 0:
            raise InputError(where, key, "slopes 0 and 0", "an activation that is not zero everywhere")
        if isinstance(phi, ShapedSmooth):
            _check_smooth(network, phi, where, key)
    if isinstance(network.activation, OrnsteinUhlenbeck):
        _check_exotic(network, network.activation, where, key)


def _check_exotic(network: Network, phi: OrnsteinUhlenbeck, where: Path, key: str) -> None:
    """Refuse numbers that would leave the engine's range, |α z + β| < 2^127: φ grows faster than a line."""
    roots = [math.sqrt(network.gram[a][a]) for a in range(network.inputs)]
    if not all(1 / _REACH <= size <= _REACH for size in (abs(phi.alpha), abs(phi.alpha) * max(roots))):
        expected = "an α that is, and that makes of the largest input, a number between 2^-60 and 2^60"
        raise InputError(where, f"{key}.alpha", phi.alpha, expected)
    if abs(phi.beta) > _REACH:
        raise InputError(where, f"{key}.beta", phi.beta, "a number up to 2^60")
    if not all(1 / _REACH <= root <= _REACH for root in roots):
        raise InputError(where, "inputs", f"<square norms from {min(roots) ** 2:g}>", "norms within 2^±60")
    time = network.depth ** (1 - 2 * network.branch_exponent)
    if time > _LONGEST:
        expected = f"a larger one: d^(1 − 2b), {time:.4g}, is at most {_LONGEST} for an activation that grows"
        raise InputError(where, "branch_exponent", network.branch_exponent, f"{expected} faster than a line")


def _check_smooth(network: Network, phi: ShapedSmooth, where: Path, key: str) -> None:
    function = phi.activation
    found = f"<{function.formula} at center {function.center:g}>"
    problem = function.problem()
    if problem:
        raise InputError(where, key, found, problem)
    try:
        held = table(function)
        # a branch adds at most d^{1-b} times its largest activation to the first preactivation
        gain = (
            network.depth ** (1 - network.branch_exponent)
            if network.residual
            else math.sqrt(float(phi.normalizer))
        )
    except NoTable as error:
        raise InputError(where, key, found, str(error)) from None
    except ArithmeticError:
        raise InputError(
            where, f"{key}.a", function.a, "a larger one: φ_s² cannot be integrated against a Gaussian"
        ) from None
    start = math.sqrt(max(network.gram[a][a] for a in range(network.inputs))) / float(phi.scale)
    if not held.holds(start, gain, added=network.residual):
        raise InputError(
            where,
            f"{key}.a",
            function.a,
            f"a larger one: with s = {float(phi.scale):.6g} the network leaves |z| ≤ {held.limit:g} s, "
            f"beyond which {function.formula} has no table, for it approaches no line",
        )


def inputs_gram(model: InputsModel, where: Path) -> Gram:
    """The Gram matrix V_0 of the inputs."""
    if model.correlation is not None:
        return correlation_gram(model.correlation)
    if model.start is not None:
        return start_gram(model.start)
    if model.gram is not None:
        return checked_gram(model.gram, where, "inputs.gram")
    assert model.gram_file is not None
    return checked_gram(_read_matrix(where.parent / model.gram_file, where), where, "inputs.gram_file")


def correlation_gram(correlation: float) -> Gram:
    """Two inputs of unit norm."""
    return ((1.0, float(correlation)), (float(correlation), 1.0))


def start_gram(start: float) -> Gram:
    """The Gram matrix of a state of equal units."""
    return ((float(start) * float(start),),)


def _read_matrix(path: Path, where: Path) -> list[list[float]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [[float(cell) for cell in row] for row in csv.reader(file) if row]
    except FileNotFoundError:
        raise InputError(
            where, "inputs.gram_file", str(path.name), "a CSV file beside this one; there is no such file"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(where, "inputs.gram_file", f"<{error}>", "a CSV file of numbers") from None


def checked_gram(rows: Sequence[Sequence[float]], where: Path, key: str) -> Gram:
    """The Gram matrix ``rows``, if it is one.

    Raises
    ------
    InputError
        If it is not square, not finite, not symmetric, not positive semi-definite, has a diagonal that is not
        positive, or is too large.
    """
    import numpy as np

    size = len(rows)
    if any(len(row) != size for row in rows):
        raise InputError(where, key, [len(row) for row in rows], f"{size} rows of {size} numbers")
    if not 1 <= size <= MAX_INPUTS:
        raise InputError(where, key, f"<{size} inputs>", f"1 to {MAX_INPUTS} inputs")
    matrix = np.array(rows, float)
    if not np.isfinite(matrix).all():
        raise InputError(where, key, rows, "finite numbers")
    if not (np.diag(matrix) > 0).all():
        raise InputError(where, key, np.diag(matrix).tolist(), "a positive diagonal")
    for a in range(size):
        for b in range(a):
            if matrix[a, b] != matrix[b, a]:
                raise InputError(
                    where,
                    f"{key}.{a}.{b}",
                    float(matrix[a, b]),
                    f"a symmetric matrix; {b}.{a} is {float(matrix[b, a])!r}",
                )
    scale = np.sqrt(np.outer(np.diag(matrix), np.diag(matrix)))
    smallest = float(np.linalg.eigvalsh(matrix / scale)[0])
    if smallest < -_TOLERANCE:
        expected = "a positive semi-definite matrix, as the Gram matrix of inputs is"
        raise InputError(
            where, key, f"<smallest eigenvalue {smallest:.3g} after scaling to unit diagonal>", expected
        )
    return tuple(tuple(float(value) for value in row) for row in rows)


def recorded_layers(
    spec: int | list[int] | Literal["all"], depth: int, where: Path, key: str
) -> tuple[int, ...]:
    """The layers that ``spec`` asks for at this depth: a number of evenly spaced ones, a list, or all."""
    if spec == "all":
        return tuple(range(depth + 1))
    if isinstance(spec, int):
        if spec == 1:
            return (depth,)
        intervals = spec - 1
        return tuple(sorted({(2 * i * depth + intervals) // (2 * intervals) for i in range(spec)}))
    layers = sorted(set(spec))
    if not layers or layers[-1] > depth:
        raise InputError(where, key, list(spec), f"layers between 0 (the input) and the depth, {depth}")
    return tuple(layers)


def network_from_physics(physics: dict[str, Any]) -> Network:
    """The network whose ``physics()`` this is."""
    shape, width = physics["shaping"], physics["width"]
    residual = {name: physics[name] for name in ("branch_exponent", "start") if name in physics}
    return Network(
        activation=_ACTIVATIONS[physics["activation"]["name"]](
            **{key: value for key, value in physics["activation"].items() if key != "name"}
        ),
        width=width if isinstance(width, int) else max(width),
        depth=physics["depth"],
        gram=tuple(tuple(row) for row in physics["gram"]),
        seed=physics["seed"],
        shaping=Shaping(shape["by"], shape["exponent"]) if shape else None,
        architecture=physics["architecture"],
        layer_widths=None if isinstance(width, int) else tuple(width),
        **residual,
    )


_ACTIVATIONS: dict[str, type[Activation]] = {
    "identity": Identity,
    "ornstein_uhlenbeck": OrnsteinUhlenbeck,
    "relu": ReluLike,
    "smooth": Smooth,
}
