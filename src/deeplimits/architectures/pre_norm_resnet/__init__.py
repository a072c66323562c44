"""The pre-normalised residual network: z_{ℓ+1} = z_ℓ + d^{-½} √(c/n) W_ℓ φ(N(z_ℓ)), N(z) = z / rms(z)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from deeplimits.architectures.base import WithOracle

if TYPE_CHECKING:
    from deeplimits.architectures.base import Moments
    from deeplimits.networks.network import Layer, Network

_WIDEST = 2.0**40


class PreNormResnet(WithOracle):
    """The state is divided by its root mean square over units, without ε and gain, before φ; the branch has a
    mean square of 1 / d, whatever the state. V_ℓ = ⟨z_ℓ, z_ℓ⟩ / n grows like V_0 + ℓ / d.
    """

    name = "pre_norm_resnet"
    title = "a pre-normalised residual network"
    short = "pre-norm ResNet"
    adjective = "pre-normalised residual "
    equation = "z' = z + d^-½ √(c/n) W φ(z / rms(z))"
    infinite_width = True
    families = ("linear", "relu_like")
    residual = True
    shaped = False
    instead = "its branch is scaled by d^-½"
    uneven = False
    gradients = False
    oracle_module = "deeplimits.architectures.resnet.oracle"
    kernels = "deeplimits.architectures.pre_norm_resnet.call"

    def infinite_width_step(self, network: Network, layer: Layer, pair: Any, moments: Moments) -> Any:
        """V' = V + (c/d) E φφᵀ of inputs of unit norm."""
        return pair.plus(replace(moments(layer.phi, pair), first=1.0, second=1.0), 1 / network.depth)

    def variables(self, network: Network) -> frozenset[str]:
        """The variables of a residual network but for gradients."""
        return super().variables(network) | {"log_activation", "collapsed_at"}

    def label(self, plain: str, network: Network, number: Callable[[float], str]) -> str:
        return f"{self.short}, {plain.removeprefix('unshaped ')}"

    def problem(self, network: Network) -> tuple[str, str] | None:
        """The branch does not scale with the state, which is kept in units of its start."""
        norms = [network.gram[a][a] for a in range(network.inputs)]
        if all(1 / _WIDEST <= norm <= _WIDEST for norm in norms):
            return super().problem(network)
        return f"<V₀ from {min(norms):.3g} to {max(norms):.3g}>", "inputs with V₀ between 2^-40 and 2^40"


ARCHITECTURE = PreNormResnet()
