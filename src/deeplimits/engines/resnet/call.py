"""What an engine calls the kernels of residual networks with; see ``calls``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import ShapedSmooth, Slopes
from deeplimits.digits import EXACT
from deeplimits.engines.calls import Call, gap_constants, rounded, scale_constants
from deeplimits.engines.compile.native import Kernel
from deeplimits.engines.contract.shape import KINDS, LANES, MAX_INPUTS, padded
from deeplimits.networks.network import Network

SLOPES, SMOOTH, ORNSTEIN_UHLENBECK = 0, 1, 2

_KERNELS = {
    (inputs, kind): Kernel(
        "engines.resnet.forward",
        "residual_inputs",
        "u8 i8 i8 i8 i4[1] f8 f4 f4 f4 f4[1] i4[1] f8[1] i4 f4 f4[2] f4[3] f4[3] f4[3] f4[3] i4[2] "
        "f4[2] f4[2] f4[1] f4[2] f4[2] f4[1] i4[1] f8[2]",
        KINDS * inputs + kind,
        inputs,
    )
    for inputs in range(1, MAX_INPUTS + 1)
    for kind in (SLOPES, SMOOTH, ORNSTEIN_UHLENBECK)
}

KERNELS = tuple(_KERNELS.values())
"""All that ``call`` may choose."""


def call(network: Network, layers: Sequence[int], count: int) -> Call:
    """What computes ``count`` samples of a residual network, recorded at ``layers`` (ascending)."""
    inputs, depth = network.inputs, EXACT.mpf(network.depth)
    pairs = inputs * (inputs - 1) // 2
    recorded: dict[str, NDArray[Any]] = {
        "log_variance": np.empty((count, len(layers), inputs), np.float32),
        "correlation_gap": np.empty((count, len(layers), pairs), np.float32),
        "log_activation": np.empty((count, len(layers), inputs), np.float32),
        "activation_gap": np.empty((count, len(layers), pairs), np.float32),
        "collapsed_at": np.empty((count, inputs), np.int32),
    }
    branch = depth ** -EXACT.mpf(network.branch_exponent) / EXACT.sqrt(network.units)
    start = np.float32(0 if network.start is None else np.sign(network.start))
    kind, numbers, table = activation_constants(network)
    constants = (
        network.units,
        int(layers[-1]),
        np.array(layers, np.int32),
        float(branch),
        start,
        *numbers,
        *scale_constants(network),
        gap_constants(network),
        *table,
    )
    state = (inputs + pairs) * padded(network.units, inputs)
    return Call(_KERNELS[inputs, kind], constants, tuple(recorded.values()), recorded, state=state)


def activation_constants(network: Network) -> tuple[int, tuple[Any, Any], tuple[Any, ...]]:
    """Kind, two numbers, and the table of an activation: its bits, where its tail begins, its rows."""
    from deeplimits.engines.contract.activation_tables import table

    phi = network.phi
    if isinstance(phi, Slopes):
        return (
            SLOPES,
            (rounded(phi.plus), rounded(phi.minus)),
            (0, np.float32(0), np.zeros((2, 4), np.float32)),
        )
    if isinstance(phi, ShapedSmooth):
        held = table(phi.activation)
        top = np.float32(2.0**held.highest)
        return SMOOTH, (rounded(1 / phi.scale), np.float32(0)), (held.bits, top, held.coefficients)
    from deeplimits.engines.contract.ornstein_uhlenbeck_table import BITS, rows

    numbers = (np.float32(phi.alpha), np.float32(phi.beta))
    return ORNSTEIN_UHLENBECK, numbers, (BITS, np.float32(0), rows())


def scratch(network: Network) -> list[NDArray[Any]]:
    """What a kernel needs to write in, for one thread: z_a and z_a − z_b [row, unit in the order of the
    lanes], which places are units, vectors of lanes, coefficients, numbers and matrices.
    """
    inputs = network.inputs
    pairs, slots = inputs * (inputs - 1) // 2, 4 * ((inputs + 3) // 4)
    units = padded(network.units, inputs)
    reduced = inputs + 3 * pairs
    return [
        np.empty((inputs, units), np.float32),
        np.empty((pairs, units), np.float32),
        np.empty(units, np.float32),
        np.empty((slots + reduced + 2 * inputs, LANES), np.float32),
        np.empty((inputs + pairs, inputs), np.float32),
        np.empty(2 * reduced + 2 * inputs, np.float32),
        np.empty(2 * inputs + pairs, np.int32),
        np.empty((3 * inputs, inputs)),
    ]
