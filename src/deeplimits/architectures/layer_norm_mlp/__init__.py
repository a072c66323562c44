"""The perceptron with LayerNorm: z_{ℓ+1} = n^{-1/2} W_ℓ N(φ_s(z_ℓ)), N(x) = (x − mean x) / √(variance of x),
over units.
"""

from __future__ import annotations

from deeplimits.architectures.rms_norm_mlp import NormalisedPerceptron


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


ARCHITECTURE = LayerNormPerceptron()
