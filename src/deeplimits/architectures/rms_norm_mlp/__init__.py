"""The perceptron with RMSNorm: z_{ℓ+1} = n^{-1/2} W_ℓ N(φ_s(z_ℓ)), N(x) = x / √(⟨x, x⟩ / n)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from deeplimits.architectures import of_papers
from deeplimits.architectures.base import Key, WithOracle

if TYPE_CHECKING:
    from deeplimits.architectures.base import Moments
    from deeplimits.networks.network import Layer, Network


class NormalisedPerceptron(WithOracle):
    """Activations are divided by their root mean square over units, after φ_s, without ε and gain; where
    ``centred``, their mean over units is taken off first. N(0) is 0.
    """

    infinite_width = True
    families = ("linear", "relu_like")
    normalised = True
    normalising = False
    gradients = False
    keys: ClassVar[Mapping[str, Key]] = {
        "normalise": Key(
            "after",
            "where activations are normalised, of rms_norm_mlp and layer_norm_mlp: after φ; before, on z, is "
            "another network, which is not supported",
            noun="activations to normalise",
            choices=("after", "before"),
            refused={"before": "after: to normalise z before φ is another network, which no engine draws"},
        )
    }
    centred: ClassVar[bool]
    oracle_module = "deeplimits.architectures.rms_norm_mlp.oracle"

    def canonical_form(self, network: Network) -> Mapping[str, Any]:
        return {"normalise": "after"}

    def infinite_width_step(self, network: Network, layer: Layer, pair: Any, moments: Moments) -> Any:
        """c K₁(ρ); where ``centred``, (c K₁(ρ) − A/π) / (1 − A/π), for A/π is what the mean of φ_s takes
        away, of its mean square.
        """
        plus, minus = layer.slopes.plus, layer.slopes.minus
        mean = float((plus - minus) ** 2 / (plus**2 + minus**2)) / math.pi if self.centred else 0.0
        found = moments(layer.phi, pair)
        return replace(found, first=1.0, second=1.0, gap=min(found.gap / (1 - mean), 2.0))


class RmsNormPerceptron(NormalisedPerceptron):
    """φ_s is homogeneous, so correlations are those of the perceptron without normalisation, in law and for
    every width and depth; V is 1.
    """

    name = "rms_norm_mlp"
    title = "a perceptron with RMSNorm"
    short = "RMSNorm"
    adjective = "RMS-normalised "
    equation = "z' = n^-½ W N(φ(z)), N(x) = x / rms(x)"
    centred = False
    kernels = "deeplimits.architectures.rms_norm_mlp.call"

    def same_law(self, network: Network, observable: str) -> Network:
        """Correlations are those of the plain perceptron."""
        if observable in ("correlation", "rescaled_correlation"):
            return replace(network, architecture=of_papers().name)
        return network


ARCHITECTURE = RmsNormPerceptron()
