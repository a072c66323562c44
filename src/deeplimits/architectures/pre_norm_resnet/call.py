"""The forward pass of a pre-normalised residual network: its kernel and the arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deeplimits.digits import EXACT
from deeplimits.engines.calls import Call
from deeplimits.engines.compile.native import Kernel
from deeplimits.engines.contract.shape import MAX_INPUTS
from deeplimits.engines.resnet.call import KERNELS as PLAIN
from deeplimits.engines.resnet.call import call as plain
from deeplimits.engines.resnet.call import scratch
from deeplimits.networks.network import Network

__all__ = ["KERNELS", "call", "scratch"]

_KERNELS = {
    inputs: Kernel("architectures.pre_norm_resnet.forward", "pre_norm", PLAIN[0].signature, inputs, inputs)
    for inputs in range(1, MAX_INPUTS + 1)
}

KERNELS = tuple(_KERNELS.values())
"""All that ``call`` may choose."""


def call(network: Network, layers: Sequence[int], count: int) -> Call:
    """What computes ``count`` samples of ``network``, recorded at ``layers`` (ascending)."""
    made = plain(network, layers, count)
    width, depth, records, _, *others = made.constants
    branch = EXACT.sqrt(network.normalizer / network.depth)
    return replace(
        made,
        kernel=_KERNELS[network.inputs],
        constants=(width, depth, records, float(branch), *others),
    )
