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

from deeplimits.digits import EXACT
from deeplimits.engines.compile.native import Kernel
from deeplimits.networks.canonical import rounded_gap
from deeplimits.networks.network import Network


@dataclass(frozen=True)
class Call:
    """A kernel and its arguments, except those that differ from sample to sample and from engine to engine.

    Parameters
    ----------
    kernel
        Its arguments are the key, the first sample, ``constants``, ``outputs``, and scratch. Where an
        architecture has no kernels, what draws explicit weights stands in its place.
    constants
        The same for every sample.
    outputs
        Arrays to be filled, samples first.
    recorded
        What the caller gets: the outputs by name.
    at_input
        What the first record of every sample holds, by name, where no kernel fills it: that of layer 0.
    state
        Numbers (float32) that the kernel keeps of a sample in the memory of a graphics card.
    explicit
        Whether it draws explicit weights, which a processor alone does.
    finish
        Where given, called when the kernel is done, to bring what it computed into the form recorded.
    """

    kernel: Kernel
    constants: tuple[Any, ...]
    outputs: tuple[NDArray[Any], ...]
    recorded: dict[str, NDArray[Any]]
    at_input: Mapping[str, Any] = field(default_factory=dict)
    state: int = 0
    explicit: bool = False
    finish: Callable[[], None] | None = None

    def complete(self) -> None:
        """Fill in what the kernel has not."""
        if self.finish is not None:
            self.finish()
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
    """1 − ρ_0 of each pair, as rounded: the bits of samples are made of it."""
    gram, inputs = network.gram, range(network.inputs)
    pairs = [(a, b) for a in inputs for b in inputs[a + 1 :]]
    return np.array([float(rounded_gap(gram[a][a], gram[b][b], gram[a][b])) for a, b in pairs])


def rounded(value: mpmath.mpf) -> np.float32:
    """The float32 nearest to a 50-digit number, rounded once (through float64 it would be rounded twice)."""
    return np.float32(float(EXACT.make_mpf(mpf_pos(value._mpf_, 24, round_nearest))))
