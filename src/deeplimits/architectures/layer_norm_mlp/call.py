"""The forward pass of a perceptron with LayerNorm: its kernel, the arguments, and what it writes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.architectures.rms_norm_mlp.call import of_unit_norm
from deeplimits.engines.calls import Call, each, gap_constants
from deeplimits.engines.compile.native import Kernel
from deeplimits.engines.contract.shape import LANES, MAX_INPUTS
from deeplimits.engines.mlp.call import recorded_at_input
from deeplimits.networks.network import Network

_KERNELS = {
    inputs: Kernel(
        "architectures.layer_norm_mlp.forward",
        "layer_norm",
        "u8 i8 i8[1] i8 i4[1] f4[1] f4[1] f8[1] f4[3] f4[3] f4[2] f4[2] f4[1] i4[1] f8[2]",
        inputs,
        inputs,
    )
    for inputs in range(1, MAX_INPUTS + 1)
}

KERNELS = tuple(_KERNELS.values())
"""All that ``call`` may choose."""


def call(network: Network, layers: Sequence[int], count: int) -> Call:
    """What computes ``count`` samples of ``network``, recorded at ``layers`` (ascending, 0 = input)."""
    inputs = network.inputs
    recorded: dict[str, NDArray[Any]] = {
        "log_variance": np.empty((count, len(layers), inputs), np.float32),
        "correlation_gap": np.empty((count, len(layers), inputs * (inputs - 1) // 2), np.float32),
    }
    of_width = network.layer_kinds
    constants = (
        np.array(network.widths, np.int64),
        int(layers[-1]),
        np.array(layers, np.int32),
        each(network, {width: local.slopes.plus for width, local in of_width.items()}),
        each(network, {width: local.slopes.minus for width, local in of_width.items()}),
        gap_constants(network),
    )
    made = Call(
        _KERNELS[inputs], constants, tuple(recorded.values()), recorded, recorded_at_input(network, layers)
    )
    return of_unit_norm(made)


def scratch(network: Network) -> list[NDArray[Any]]:
    """What the kernel needs to write in, for one thread: vectors of lanes, coefficients, sums and which
    inputs live, exponents, matrices.
    """
    inputs = network.inputs
    pairs, calls = inputs * (inputs - 1) // 2, (inputs + 3) // 4
    summed = 2 * inputs + 4 * pairs
    return [
        np.empty((4 * calls + 1 + 2 * inputs + summed, LANES), np.float32),
        np.empty((inputs + pairs, inputs), np.float32),
        np.empty(summed + inputs, np.float32),
        np.empty(inputs, np.int32),
        np.empty((2 * inputs, inputs)),
    ]
