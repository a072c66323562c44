"""The forward pass of a perceptron: its kernel, the arguments, and what it writes in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import Smooth
from deeplimits.digits import EXACT
from deeplimits.engines.calls import Call, each, gap_constants, rounded, scale_constants
from deeplimits.engines.compile.native import Kernel
from deeplimits.engines.contract.activation_tables import table
from deeplimits.engines.contract.shape import LANES, MAX_INPUTS
from deeplimits.networks.network import Network

_NETWORK = "u8 i8 i8[1] i8 i4[1] f4[1] f4[1] f4[1] f4[1] i4[1]"
_SINGLE = Kernel("engines.mlp.one_or_two_inputs", "single_input", f"{_NETWORK} f4[3] f4[2]")
_TWO = Kernel("engines.mlp.one_or_two_inputs", "two_inputs", f"{_NETWORK} f4[1] f4[3] f4[3] f4[2]", inputs=2)
_MANY = {
    inputs: Kernel(
        "engines.mlp.many_inputs",
        "many_inputs",
        f"{_NETWORK} f8[1] f4[3] f4[3] f4[2] f4[2] f4[1] i4[1] f8[2]",
        inputs,
        inputs,
    )
    for inputs in range(3, MAX_INPUTS + 1)
}

_SMOOTH = {
    inputs: Kernel(
        "engines.mlp.smooth",
        "smooth_inputs",
        "u8 i8 i8[1] i8 i4[1] f4[1] f4[1] f4[1] i4[1] f8[1] i4 f4 f4[2] f4[3] f4[3] i4[2] "
        "f4[2] f4[2] f4[1] i4[1] f8[2]",
        inputs,
        inputs,
    )
    for inputs in range(1, MAX_INPUTS + 1)
}

KERNELS = (_SINGLE, _TWO, *_MANY.values(), *_SMOOTH.values())
"""All that ``call`` may choose."""


def call(network: Network, layers: Sequence[int], count: int) -> Call:
    """What computes ``count`` samples of ``network``, recorded at ``layers`` (ascending, 0 = input)."""
    inputs = network.inputs
    log_variance = np.empty((count, len(layers), inputs), np.float32)
    gap = np.empty((count, len(layers), inputs * (inputs - 1) // 2), np.float32)
    mantissas, exponents = scale_constants(network)
    depth, records = int(layers[-1]), np.array(layers, np.int32)
    # of every layer of the network, recorded or not
    of_width = network.layer_kinds
    widths = np.array(network.widths, np.int64)
    normalizers = each(network, {w: local.normalizer / w for w, local in of_width.items()})
    recorded: dict[str, NDArray[Any]] = {"log_variance": log_variance, "correlation_gap": gap}
    outputs: tuple[NDArray[Any], ...]
    constants: tuple[Any, ...]
    if network.piecewise_linear:
        kernel = {1: _SINGLE, 2: _TWO}.get(inputs) or _MANY[inputs]
        plus = each(network, {w: local.slopes.plus for w, local in of_width.items()})
        minus = each(network, {w: local.slopes.minus for w, local in of_width.items()})
        constants = (widths, depth, records, plus, minus, normalizers, mantissas, exponents)
        if inputs == 2:
            constants += (np.array([rounded(network.gap())], np.float32),)
        elif inputs > 2:
            constants += (gap_constants(network),)
        outputs = (log_variance, gap)[: 1 if inputs == 1 else 2]
    else:
        assert isinstance(network.activation, Smooth)
        kernel, held = _SMOOTH[inputs], table(network.activation)
        inverse_scales = each(network, {w: 1 / local.scale for w, local in of_width.items()})
        recorded["exploded_at"] = np.empty((count, inputs), np.int32)
        constants = (widths, depth, records, inverse_scales, normalizers, mantissas, exponents)
        constants += (gap_constants(network),)
        constants += (held.bits, np.float32(2.0**held.highest), held.coefficients)
        outputs = (log_variance, gap, recorded["exploded_at"])
    return Call(kernel, constants, outputs, recorded, recorded_at_input(network, layers))


def recorded_at_input(network: Network, layers: Sequence[int]) -> dict[str, Any]:
    """What is recorded at layer 0, the input, where that is asked for: log V and 1 − ρ, rounded once."""
    if layers[0] > 0:
        return {}
    inputs = range(network.inputs)
    variances = [EXACT.mpf(network.gram[a][a]) for a in inputs]
    return {
        "log_variance": [rounded(EXACT.log(variance)) for variance in variances],
        "correlation_gap": [rounded(network.gap(a, b)) for a in inputs for b in inputs[a + 1 :]],
    }


def scratch(network: Network) -> list[NDArray[Any]]:
    """What the kernel of a network needs to write in, for one thread."""
    inputs = network.inputs
    if network.piecewise_linear and inputs < 3:
        return [np.empty((1 if inputs == 1 else 5, LANES), np.float32)]
    smooth = 0 if network.piecewise_linear else 1
    pairs, calls = inputs * (inputs - 1) // 2, (inputs + 3) // 4
    reduced = inputs + 3 * pairs
    return [
        np.empty((4 * calls + 1 + (2 + smooth) * inputs + reduced, LANES), np.float32),
        np.empty((inputs + pairs, inputs), np.float32),
        np.empty(reduced + (1 + smooth) * inputs, np.float32),
        np.empty(inputs, np.int32),
        np.empty((2 * inputs, inputs)),
    ]
