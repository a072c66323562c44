"""The forward pass of a perceptron with RMSNorm: that of the plain one, whose directions it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deeplimits.engines.calls import Call
from deeplimits.engines.mlp.call import KERNELS, scratch
from deeplimits.engines.mlp.call import call as plain
from deeplimits.networks.network import Network

__all__ = ["KERNELS", "call", "of_unit_norm", "scratch"]


def call(network: Network, layers: Sequence[int], count: int) -> Call:
    """What computes ``count`` samples of ``network``, recorded at ``layers`` (ascending, 0 = input)."""
    return of_unit_norm(plain(network, layers, count))


def of_unit_norm(call: Call) -> Call:
    """The same, for activations of unit norm: V is 1 wherever a unit lives."""

    def finish() -> None:
        found = call.recorded["log_variance"]
        found[np.isfinite(found)] = 0.0

    return replace(call, finish=finish)
