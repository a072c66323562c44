"""The perceptron with LayerNorm: z_{ℓ+1} = n^{-1/2} W_ℓ N(φ_s(z_ℓ)), N(x) = (x − mean x) / √(variance of x),
over units.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deeplimits.architectures import of_papers
from deeplimits.architectures.rms_norm_mlp import NormalisedPerceptron

if TYPE_CHECKING:
    from deeplimits.networks.network import Network


class LayerNormPerceptron(NormalisedPerceptron):
    """Correlations are those of centred activations."""

    name = "layer_norm_mlp"
    title = "a perceptron with LayerNorm"
    short = "LayerNorm"
    adjective = "layer-normalised "
    equation = "z' = n^-½ W N(φ(z)), N(x) = (x − mean x) / std(x)"
    least_width = 4
    centred = True
    kernels = "deeplimits.architectures.layer_norm_mlp.call"

    def same_law(self, network: Network, observable: str) -> Network:
        """Where φ_s is linear, centring leaves n − 1 directions of n: the plain network of n − 1 units."""
        if observable not in ("correlation", "rescaled_correlation") or not network.piecewise_linear:
            return network
        if any(layer.slopes.plus != layer.slopes.minus for layer in network.layer_kinds.values()):
            return network
        widths = network.width if isinstance(network.width, int) else tuple(n - 1 for n in network.width)
        narrower = widths - 1 if isinstance(widths, int) else widths
        return replace(network, architecture=of_papers().name, width=narrower)


ARCHITECTURE = LayerNormPerceptron()
