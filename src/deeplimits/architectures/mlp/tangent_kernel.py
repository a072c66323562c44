"""The tangent kernel of a perceptron, K^{ab} = Σ_ℓ V_ℓ^{ab} G_{ℓ+1}^{ab}, ℓ = 0 … d.

G_ℓ^{ab} are the inner products of the gradients of the preactivations, and G_{d+1} = 1 at the readout, which
is the same for all inputs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deeplimits.architectures.tangent_kernel import Held, TangentKernel
from deeplimits.array_types import Array
from deeplimits.networks.network import Network


class PerceptronKernel(TangentKernel):
    """Gradients at layer 0, the input, are none and are not read."""

    of_input = ("log_variance", "gradient_log_norm")
    of_pair = ("correlation_gap", "gradient_gap")

    def log_squares(self, network: Network, held: Held, a: int) -> tuple[Array, Array]:
        return held["log_variance"].astype(float), _of_the_next(held["gradient_log_norm"])

    def gaps(self, network: Network, held: Held) -> tuple[Array, Array]:
        return held["correlation_gap"].astype(float), _of_the_next(held["gradient_gap"])


def _of_the_next(stored: NDArray[np.float32]) -> Array:
    """What is stored of the layer that follows; 0, that of the readout, after the last."""
    back = np.zeros(stored.shape)
    back[:, :-1] = stored[:, 1:]
    return back
