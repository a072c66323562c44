"""Gradients by the CPU engine: what their kernels are called with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import OrnsteinUhlenbeck, Smooth
from deeplimits.engines.calls import Call, Task, each, gap_constants, rounded, scale_constants
from deeplimits.engines.compile.native import Kernel
from deeplimits.engines.contract.shape import LANES, MAX_INPUTS, padded, units_per_lane
from deeplimits.engines.resnet import call as resnet
from deeplimits.engines.run.dispatch import fill
from deeplimits.errors import InputError
from deeplimits.networks.network import Network

_WORKSPACE = "f4[2] f4[2] f4[2] f4[2] f8[2] f4[2] f8[3] f8[2] f8[1] f4[1] i4[1]"
_SIGNATURE = (
    "u8 i8 i8[1] i4[1] f4[1] f4[1] f4[1] f4[1] f4[1] i4[1] f8[1] i4 f4 f4[2] f4[3] f4[3] "
    f"f4[2] f4[2] f8[2] f8[3] f4[2] i4[2] f4[1] {_WORKSPACE}"
)
_KERNELS = {
    (name, inputs): Kernel("engines.gradients.perceptron", name, _SIGNATURE, inputs, inputs)
    for name in ("piecewise_linear", "smooth")
    for inputs in range(1, MAX_INPUTS + 1)
}

_RESIDUAL = {
    (name, inputs): Kernel(
        "engines.gradients.residual",
        name,
        "u8 i8 i8 i8 i4[1] f8 f4 f4 f4 f4[1] i4[1] f8[1] i4 f4 f4[2] f4[3] f4[3] "
        "f4[3] f4[2] f4[2] f4[2] f4[2] "
        f"f4[2] f4[2] f4[1] f4[2] f4[2] f4[1] i4[1] f8[2] {_WORKSPACE}",
        inputs,
        inputs,
    )
    for name in ("piecewise_linear", "smooth")
    for inputs in range(1, MAX_INPUTS + 1)
}

LARGEST_STATE = 1 << 31
"""Bytes of the states of a sample that are kept for the backward pass of a residual network."""


def check_gradients(network: Network, where: str | Path = "simulate") -> None:
    """Refuse gradients that there are none of, before a job.

    Raises
    ------
    InputError
        If the activation has none here, or the states of a sample do not fit into memory.
    """
    if not network.kind.gradients:
        expected = f"false: no engine has the gradients of the architecture {network.architecture}"
        raise InputError(where, "record.gradients", True, expected)
    if not network.residual:
        return
    if isinstance(network.activation, OrnsteinUhlenbeck):
        raise InputError(where, "record.gradients", True, "false for the activation ornstein_uhlenbeck")
    kept = 4 * (2 * network.inputs - 1) * network.widest * (network.depth + 1)
    if kept > LARGEST_STATE:
        found = f"<width {network.widest}, depth {network.depth}, {network.inputs} inputs>"
        expected = (
            f"a smaller residual network: the states of one sample take {kept / 2**30:.3g} GiB, more than "
            f"{LARGEST_STATE / 2**30:.3g}"
        )
        raise InputError(where, "record.gradients", found, expected)


def gradients(
    network: Network,
    layers: Sequence[int],
    first: int,
    count: int,
    threads: int | None = None,
    engine: str = "cpu",
) -> dict[str, NDArray[Any]]:
    """``gradient_log_norm`` and ``gradient_gap`` of samples [first, first + count) of ``network`` at
    ``layers`` (ascending, 0 = input); see ``simulate_block``.
    """
    task = backward(network, layers, first, count)
    fill([task], engine, threads)
    return task.call.recorded


def backward(network: Network, layers: Sequence[int], first: int, count: int) -> Task:
    """The backward pass of samples [first, first + count) of ``network``, recorded at ``layers``."""
    check_gradients(network)
    inputs = network.inputs
    pairs = inputs * (inputs - 1) // 2
    log_norm = np.empty((count, len(layers), inputs), np.float32)
    gap = np.empty((count, len(layers), pairs), np.float32)
    recorded = {"gradient_log_norm": log_norm, "gradient_gap": gap}
    if network.residual:
        call = _residual_call(network, layers, recorded)
        return Task(call, network.key, first, network.units, lambda: residual_scratch(network))
    kernel = _KERNELS[("piecewise_linear" if network.piecewise_linear else "smooth"), inputs]
    # layer 0 has no units, and where it alone is recorded there is nothing to compute
    at_input = dict.fromkeys(recorded, np.nan) if layers[0] == 0 else {}
    rows = slice(0, count if layers[-1] > 0 else 0)
    call = Call(
        kernel, _constants(network, layers), (log_norm[rows], gap[rows]), recorded, at_input, _state(network)
    )
    return Task(call, network.key, first, max(network.widths), lambda: scratch(network))


def _residual_call(network: Network, layers: Sequence[int], recorded: dict[str, NDArray[Any]]) -> Call:
    """The call for a residual network: its kernels go forward and back, and take what going forward does."""
    kind, _, _ = resnet.activation_constants(network)
    width, depth, _, *others = resnet.call(network, [network.depth], 1).constants
    kernel = _RESIDUAL[("piecewise_linear" if kind == resnet.SLOPES else "smooth"), network.inputs]
    constants = (width, depth, np.array(layers, np.int32), *others)
    return Call(kernel, constants, tuple(recorded.values()), recorded, state=_residual_state(network))


def _algebra(inputs: int) -> int:
    """Numbers of ``Kept`` in ``sums.cuh``, float64: those of a layer's matrices. The compiler of that checks
    it.
    """
    return 13 * inputs**2 + 3 * inputs + inputs * (inputs + 1) // 2


def _state(network: Network) -> int:
    """Numbers kept on a card, as float32, of a perceptron."""
    inputs = network.inputs
    layers = network.depth * (2 * inputs**2 + 2 * inputs)
    return 2 * _algebra(inputs) + layers + 4 * inputs * padded(network.widest, inputs)


def _residual_state(network: Network) -> int:
    """Numbers kept on a card, as float32, of a residual network: the states of all layers among them."""
    inputs, layers = network.inputs, network.depth + 1
    rows = inputs + inputs * (inputs - 1) // 2 + 5 * inputs + layers * (2 * inputs - 1)
    return 2 * _algebra(inputs) + rows * padded(network.units, inputs) + layers * inputs + layers * inputs % 2


def residual_scratch(network: Network) -> list[NDArray[Any]]:
    """As ``scratch``, for a residual network: the states of every layer of a sample, the z_a, then the z_0 −
    z_a [layer, row, unit in the order of the lanes], √V / s, the gradients of the layer above, vectors of
    lanes and coefficients; what the forward pass needs; and a workspace.
    """
    inputs, depth = network.inputs, network.depth
    forward, kept = resnet.scratch(network), workspace(network, network.units)
    padded = forward[0].shape[1]
    return [
        np.empty((depth + 1, 2 * inputs - 1, padded), np.float32),
        np.empty((depth + 1, inputs), np.float32),
        np.empty_like(kept[2]),
        np.empty((5 * inputs, LANES), np.float32),
        np.empty((2 * inputs, inputs), np.float32),
        *forward,
        *kept,
    ]


def _constants(network: Network, layers: Sequence[int]) -> tuple[Any, ...]:
    """As for the kernels of the forward pass, see ``calls``."""
    gaps, once = gap_constants(network), np.ones(network.depth, np.float32)
    of_width = network.layer_kinds
    plus, minus, inverse_scales = once, once, once
    held: tuple[Any, ...] = (0, np.float32(0), np.zeros((2, 4), np.float32))
    if network.piecewise_linear:
        plus = each(network, {width: local.slopes.plus for width, local in of_width.items()})
        minus = each(network, {width: local.slopes.minus for width, local in of_width.items()})
        if network.inputs == 2:
            # which the forward pass carries in float32
            gaps = np.array([rounded(network.gap())], float)
    else:
        from deeplimits.engines.contract.activation_tables import table

        assert isinstance(network.activation, Smooth)
        inverse_scales = each(network, {width: 1 / local.scale for width, local in of_width.items()})
        made = table(network.activation)
        held = (made.bits, np.float32(2.0**made.highest), made.coefficients)
    return (
        np.array(network.widths, np.int64),
        np.array(layers, np.int32),
        plus,
        minus,
        inverse_scales,
        each(network, {width: local.normalizer / width for width, local in of_width.items()}),
        *scale_constants(network),
        gaps,
        *held,
    )


def scratch(network: Network) -> list[NDArray[Any]]:
    """What a kernel needs to write in, for one thread: vectors of lanes, coefficients and matrices; 1 − ρ,
    √V / s and which inputs live, a layer each; sums; and a workspace.
    """
    inputs, depth = network.inputs, network.depth
    pairs = inputs * (inputs - 1) // 2
    reduced = inputs + 3 * pairs
    return [
        np.empty((8 + 4 * inputs + pairs + reduced, LANES), np.float32),
        np.empty((inputs + pairs, inputs), np.float32),
        np.empty((inputs, inputs)),
        np.empty((depth, inputs, inputs)),
        np.empty((depth, inputs), np.float32),
        np.empty((depth, inputs), np.int32),
        np.empty(reduced, np.float32),
        *workspace(network, max(network.widths)),
    ]


def workspace(network: Network, width: int) -> list[NDArray[Any]]:
    """What both kinds of kernels keep of a layer of up to ``width`` units: its normals, fresh ones,
    activations and slopes; sums, coefficients and matrices.
    """
    inputs, slots = network.inputs, 4 * ((network.inputs + 3) // 4)
    units = units_per_lane(inputs)
    blocks = -(-width // (units * LANES))
    products = inputs * (inputs + 1) // 2 + inputs - 1 + inputs**2
    return [
        np.empty((blocks * slots, LANES), np.float32),
        np.empty((blocks * slots, LANES), np.float32),
        np.empty((blocks * units * inputs, LANES), np.float32),
        np.empty((blocks * units * inputs, LANES), np.float32),
        np.empty((products, LANES)),
        np.empty((2 * inputs, 2 * inputs), np.float32),
        np.empty((10, inputs, inputs)),
        np.empty((inputs, 2 * inputs)),
        np.empty(products + 2 * inputs),
        np.empty(inputs, np.float32),
        np.empty(inputs, np.int32),
    ]
