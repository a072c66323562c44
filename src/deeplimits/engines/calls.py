"""What an engine calls a kernel with: the constants of a network, rounded once, and arrays to fill.

Every engine computes the same call in its own way. The CPU engine's kernels are those of ``Kernel``; another
engine has a kernel of the same name for the same leading arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np
from mpmath.libmp import mpf_pos, round_nearest
from numpy.typing import NDArray

from deeplimits.activations import EXACT, Smooth
from deeplimits.engines import MAX_INPUTS
from deeplimits.engines.native import Kernel
from deeplimits.networks.network import Network

_NETWORK = "u8 i8 i8[1] i8 i4[1] f4[1] f4[1] f4[1] f4[1] i4[1]"
_SINGLE = Kernel("mlp_kernels", "single_input", f"{_NETWORK} f4[3] f4[2]")
_TWO = Kernel("mlp_kernels", "two_inputs", f"{_NETWORK} f4[1] f4[3] f4[3] f4[2]")
_MANY = {
    inputs: Kernel(
        "mlp_general",
        "many_inputs",
        f"{_NETWORK} f8[1] f4[3] f4[3] f4[2] f4[2] f4[1] i4[1] f8[2]",
        inputs,
    )
    for inputs in range(3, MAX_INPUTS + 1)
}

_SMOOTH = {
    inputs: Kernel(
        "smooth_kernels",
        "smooth_inputs",
        "u8 i8 i8[1] i8 i4[1] f4[1] f4[1] f4[1] i4[1] f8[1] i4 f4 f4[2] f4[3] f4[3] i4[2] "
        "f4[2] f4[2] f4[1] i4[1] f8[2]",
        inputs,
    )
    for inputs in range(1, MAX_INPUTS + 1)
}

KERNELS = (_SINGLE, _TWO, *_MANY.values(), *_SMOOTH.values())
"""All that ``call`` may choose."""


@dataclass(frozen=True)
class Call:
    """A kernel and its arguments, except those that differ from sample to sample and from engine to engine.

    Parameters
    ----------
    kernel
        Its arguments are the key, the first sample, ``constants``, ``outputs``, and scratch.
    constants
        The same for every sample.
    outputs
        Arrays to be filled, samples first.
    recorded
        What the caller gets: the outputs by name.
    at_input
        What the first record of every sample holds, by name, where no kernel fills it: that of layer 0.
    """

    kernel: Kernel
    constants: tuple[Any, ...]
    outputs: tuple[NDArray[Any], ...]
    recorded: dict[str, NDArray[Any]]
    at_input: Mapping[str, Any] = field(default_factory=dict)

    def complete(self) -> None:
        """Fill in what the kernel has not."""
        for name, values in self.at_input.items():
            self.recorded[name][:, 0] = values


@dataclass(frozen=True)
class Task:
    """A call for the samples from ``first`` on.

    Parameters
    ----------
    width
        Largest width of a network; 1 for a path.
    scratch
        What the CPU kernel needs to write in, for one thread.
    """

    call: Call
    key: int | np.uint64
    first: int
    width: int
    scratch: Callable[[], Sequence[Any]]

    @property
    def count(self) -> int:
        """Samples."""
        return len(self.call.outputs[0])

    def arguments(self, rows: slice) -> list[Any]:
        """What a kernel takes for some of the samples, its scratch left out."""
        outputs = (output[rows] for output in self.call.outputs)
        return [self.key, self.first + rows.start, *self.call.constants, *outputs]


def call(network: Network, layers: Sequence[int], count: int) -> Call:
    """What computes ``count`` samples of ``network``, recorded at ``layers`` (ascending, 0 = input)."""
    if network.residual:
        from deeplimits.engines import resnet

        return resnet.call(network, layers, count)
    inputs = network.inputs
    log_variance = np.empty((count, len(layers), inputs), np.float32)
    gap = np.empty((count, len(layers), inputs * (inputs - 1) // 2), np.float32)
    variances = [EXACT.mpf(network.gram[a][a]) for a in range(inputs)]
    gaps = [network.gap(a, b) for a in range(inputs) for b in range(a + 1, inputs)]
    at_input: dict[str, Any] = {}
    if layers[0] == 0:
        at_input["log_variance"] = [rounded(EXACT.log(variance)) for variance in variances]
        at_input["correlation_gap"] = [rounded(value) for value in gaps]
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
            constants += (np.array([rounded(value) for value in gaps], np.float32),)
        elif inputs > 2:
            constants += (gap_constants(network),)
        outputs = (log_variance, gap)[: 1 if inputs == 1 else 2]
    else:
        from deeplimits.engines.tables import table

        assert isinstance(network.activation, Smooth)
        kernel, held = _SMOOTH[inputs], table(network.activation)
        inverse_scales = each(network, {w: 1 / local.scale for w, local in of_width.items()})
        recorded["exploded_at"] = np.empty((count, inputs), np.int32)
        constants = (widths, depth, records, inverse_scales, normalizers, mantissas, exponents)
        constants += (gap_constants(network),)
        constants += (held.bits, np.float32(2.0**held.highest), held.coefficients)
        outputs = (log_variance, gap, recorded["exploded_at"])
    return Call(kernel, constants, outputs, recorded, at_input)


def each(network: Network, of_width: dict[int, mpmath.mpf]) -> NDArray[np.float32]:
    """Numbers of each width as those of each layer, rounded once."""
    numbers = {width: rounded(value) for width, value in of_width.items()}
    return np.array([numbers[width] for width in network.widths], np.float32)


def scale_constants(network: Network) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """V_0^{aa} of each input as mantissas in [1, 2) and exponents."""
    variances = [EXACT.mpf(network.gram[a][a]) for a in range(network.inputs)]
    if network.start is not None:
        variances = [EXACT.mpf(network.start) ** 2]
    scales = [EXACT.frexp(variance) for variance in variances]
    mantissas = np.array([rounded(2 * scale[0]) for scale in scales], np.float32)
    return mantissas, np.array([scale[1] - 1 for scale in scales], np.int32)


def gap_constants(network: Network) -> NDArray[np.float64]:
    """1 − ρ_0 of each pair."""
    inputs = network.inputs
    return np.array([float(network.gap(a, b)) for a in range(inputs) for b in range(a + 1, inputs)])


def rounded(value: mpmath.mpf) -> np.float32:
    """The float32 nearest to a 50-digit number, rounded once (through float64 it would be rounded twice)."""
    return np.float32(float(EXACT.make_mpf(mpf_pos(value._mpf_, 24, round_nearest))))
