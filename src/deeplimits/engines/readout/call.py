"""What follows from a network's readout: its output and the gradients of that, beside what the forward pass
records and without a trace in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.engines.compile.native import Kernel
from deeplimits.engines.run.cpu import in_threads
from deeplimits.networks.network import Network

Recorded = dict[str, NDArray[Any]]

_OUTPUT = Kernel("engines.readout.output_kernels", "fill_output", "u8 i8 i8 f4[2] f4[2] f4[2] f8[1] f8[3]")


def with_output(
    recorded: Recorded, network: Network, layers: Sequence[int], first: int, threads: int | None
) -> Recorded:
    """What is recorded at ``layers``, and ``output``; see ``simulate_block``.

    Parameters
    ----------
    recorded
        What the forward pass records at ``layers`` and the last layer of the network.
    """
    depth, last = network.depth, layers[-1]
    top = {name: np.ascontiguousarray(recorded[name][:, -1]) for name in ("log_variance", "correlation_gap")}
    if last != depth:
        for name, array in recorded.items():
            if array.ndim == 3:
                recorded[name] = np.ascontiguousarray(array[:, :-1])
            else:  # the layer of an event, which counts up to the last record
                recorded[name] = np.where(array > last, np.int32(-1), array)
    log_variance, gap = top["log_variance"], top["correlation_gap"]
    inputs = network.inputs
    output = np.empty((len(log_variance), inputs), np.float32)

    def share(rows: slice) -> None:
        scratch = np.empty(inputs), np.empty((2, inputs, inputs))
        _OUTPUT(network.key, first + rows.start, depth, log_variance[rows], gap[rows], output[rows], *scratch)

    in_threads(share, len(output), threads)
    return recorded | {"output": output}
