"""The residual network: z_0 = W_in x / √n_in, z_{ℓ+1} = z_ℓ + d^{-b} n^{-1/2} W_ℓ φ(z_ℓ)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from deeplimits.architectures.base import Key, WithOracle

if TYPE_CHECKING:
    from deeplimits.architectures.base import Moments
    from deeplimits.architectures.tangent_kernel import TangentKernel
    from deeplimits.networks.network import Layer, Network


class Resnet(WithOracle):
    """V_ℓ = ⟨z_ℓ, z_ℓ⟩ / n; φ is not normalised (Li & Nica 2024, eq. (2.12); Hayou 2022, eq. (1))."""

    name = "resnet"
    title = "a residual network"
    short = "ResNet"
    adjective = "residual "
    equation = "z' = z + d^-b n^-½ W φ(z)"
    recursion = "residual"
    infinite_width = True
    residual = True
    normalising = False
    shaped = False
    instead = "its branch is scaled by branch_exponent"
    uneven = False
    from_number = True
    keys: ClassVar[Mapping[str, Key]] = {
        "branch_exponent": Key(
            0.5, "b of a resnet: the branch is scaled by d^-b; 0 leaves it as it is", noun="a branch"
        )
    }
    kernels = "deeplimits.engines.resnet.call"

    def infinite_width_step(self, network: Network, layer: Layer, pair: Any, moments: Moments) -> Any:
        """V' = V + d^{−2b} E φφᵀ."""
        return pair.plus(moments(layer.phi, pair), float(network.depth) ** (-2 * network.branch_exponent))

    def variables(self, network: Network) -> frozenset[str]:
        """Its branch may collapse, and is another direction than the state."""
        from deeplimits.activations import OrnsteinUhlenbeck

        own = super().variables(network) | {"log_activation", "collapsed_at"}
        if isinstance(network.activation, OrnsteinUhlenbeck):
            return own - {"gradient_log_norm", "gradient_gap"}
        return own | {"activation_gap"} if network.inputs > 1 else own

    @property
    def tangent_kernel(self) -> TangentKernel:
        from deeplimits.architectures.resnet.tangent_kernel import ResidualKernel

        return ResidualKernel()

    def canonical_form(self, network: Network) -> Mapping[str, Any]:
        start = network.start
        return {
            "branch_exponent": float(network.branch_exponent) + 0.0,
            "start": None if start is None else float(start) + 0.0,
        }

    def label(self, plain: str, network: Network, number: Callable[[float], str]) -> str:
        """Its activation, and what scales its branches."""
        b = network.branch_exponent
        scaled = {0.5: "", 0.0: ", branches not scaled"}.get(b, f", branches scaled by d^-{number(b)}")
        return f"{self.short}, {plain.removeprefix('unshaped ')}{scaled}"


ARCHITECTURE = Resnet()
