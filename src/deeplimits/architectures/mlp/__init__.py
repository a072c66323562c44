"""The multilayer perceptron: z_1 = W x / √n_in, z_{ℓ+1} = √(c/n) W_ℓ φ_s(z_ℓ)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from deeplimits.architectures.base import WithOracle

if TYPE_CHECKING:
    from deeplimits.architectures.base import Moments
    from deeplimits.architectures.tangent_kernel import TangentKernel
    from deeplimits.networks.network import Layer, Network


class Perceptron(WithOracle):
    """V_ℓ = (c/n) ⟨φ_s(z_ℓ), φ_s(z_ℓ)⟩; n, φ_s and c are those of the layer (Li & Nica 2024, eq. (2.1))."""

    name = "mlp"
    title = "a perceptron"
    equation = "z' = √(c/n) W φ(z)"
    recursion = "plain"
    infinite_width = True
    families = ("linear", "relu_like", "smooth")
    kernels = "deeplimits.engines.mlp.call"

    def infinite_width_step(self, network: Network, layer: Layer, pair: Any, moments: Moments) -> Any:
        """V' = c E φφᵀ, which keeps the norms of a homogeneous φ."""
        found = moments(layer.phi, pair)
        if network.piecewise_linear:
            return replace(found, first=pair.first, second=pair.second)
        return found.times(float(layer.normalizer))

    def variables(self, network: Network) -> frozenset[str]:
        """A network of a smooth activation may explode."""
        own = super().variables(network)
        return own if network.piecewise_linear else own | {"exploded_at"}

    @property
    def tangent_kernel(self) -> TangentKernel:
        from deeplimits.architectures.mlp.tangent_kernel import PerceptronKernel

        return PerceptronKernel()


ARCHITECTURE = Perceptron()
