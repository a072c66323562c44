"""The tangent kernel of a residual network.

It is K^{ab} = V_0^{ab} G_0^{ab} + d^{−2b} Σ_ℓ A_ℓ^{ab} G_{ℓ+1}^{ab} + V_d^{ab},   ℓ = 0 … d − 1, with

A_ℓ = ⟨φ(z_ℓ), φ(z_ℓ)⟩ / n and G_ℓ^{ab} = ⟨g_ℓ^a, g_ℓ^b⟩ of the gradients g_ℓ = ∂z_out/∂z_ℓ: of the weights of
the inputs, with V_0 the Gram matrix of these, not that of the units; of the branches; and of the readout.
A network that starts from a number has no weights of inputs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deeplimits.architectures.tangent_kernel import Held, TangentKernel
from deeplimits.array_types import Array
from deeplimits.networks.network import Network


class ResidualKernel(TangentKernel):
    """Activations of the last layer, which go into no branch, are not read."""

    of_input = ("log_activation", "log_variance", "gradient_log_norm")
    of_pair = ("activation_gap", "correlation_gap", "gradient_gap")

    def log_squares(self, network: Network, held: Held, a: int) -> tuple[Array, Array]:
        scale = -2 * network.branch_exponent * float(np.log(network.depth))
        ahead = held["log_activation"].astype(float) + scale
        ahead[:, -1] = held["log_variance"][:, -1]
        first = -np.inf if network.start is not None else float(np.log(float(network.gram[a][a])))
        return _along(first, ahead, held["gradient_log_norm"])

    def gaps(self, network: Network, held: Held) -> tuple[Array, Array]:
        ahead = held["activation_gap"].astype(float)
        # of branches that have collapsed, and add nothing
        ahead[np.isnan(ahead)] = 0.0
        ahead[:, -1] = held["correlation_gap"][:, -1]
        return _along(float(network.gap()), ahead, held["gradient_gap"])


def _along(first: float, ahead: Array, back: NDArray[np.float32]) -> tuple[Array, Array]:
    """What goes in, by inputs, branches and readout, and what comes back to them from the layers."""
    into, out = (np.zeros((len(ahead), ahead.shape[1] + 1)) for _ in range(2))
    into[:, 0], into[:, 1:] = first, ahead
    out[:, :-1] = back
    return into, out
