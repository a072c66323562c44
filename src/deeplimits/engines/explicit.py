"""Networks of architectures that have no kernels: their oracle draws every weight matrix, sample by sample.

Every sample has a stream of its own, named by the network and the sample's index, so that its numbers depend
on neither split nor threads. They do depend on the linear algebra that NumPy finds on a machine, in their
last digits, and are kept under a sampler name of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from deeplimits.engines.calls import Call
from deeplimits.engines.compile.native import Kernel
from deeplimits.networks.network import Network
from deeplimits.variables import STORED


@dataclass(frozen=True)
class Explicit:
    """Takes the place of a kernel; see ``compile.native.Kernel``.

    Parameters
    ----------
    names
        What it fills, in the order of its outputs.
    """

    network: Network
    layers: tuple[int, ...]
    names: tuple[str, ...]

    def __call__(self, key: Any, first: int, *outputs: NDArray[Any]) -> None:
        """Fill the outputs of the samples from ``first`` on."""
        oracle = self.network.kind.oracle
        for row in range(len(outputs[0])):
            stream = np.random.Philox(key=np.array([key, first + row], np.uint64))
            drawn = oracle(self.network, self.layers, 1, np.random.Generator(stream))
            for name, output in zip(self.names, outputs, strict=True):
                output[row] = drawn[name][0]


def call(network: Network, layers: Sequence[int], count: int) -> Call:
    """What draws ``count`` samples of ``network``, recorded at ``layers`` (ascending, 0 = input)."""
    inputs = network.inputs
    sizes = {"record": len(layers), "input": inputs, "cross": inputs * (inputs - 1) // 2}
    recorded = {
        name: np.empty((count, *(sizes[each] for each in variable.dimensions[1:])), variable.dtype)
        for name, variable in STORED.items()
        if not variable.asked_by and variable.of(network)
    }
    drawn = Explicit(network, tuple(layers), tuple(recorded))
    return Call(cast(Kernel, drawn), (), tuple(recorded.values()), recorded, explicit=True)


def scratch(network: Network) -> list[NDArray[Any]]:
    """Nothing."""
    return []
