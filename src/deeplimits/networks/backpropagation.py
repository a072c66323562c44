"""The oracle of gradients: backpropagation through weight matrices that have been drawn, in NumPy and
float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array


@dataclass
class Tape:
    """What a forward pass leaves for the backward pass, layer by layer.

    Parameters
    ----------
    weights
        W_ℓ [sample, unit after, unit before].
    slopes
        φ' at the layer that W_ℓ leads away from, times the factor in front of W_ℓ φ [sample, unit, input].
    """

    weights: list[Array] = field(default_factory=list)
    slopes: list[Array] = field(default_factory=list)

    def add(self, weights: Array, slopes: Array) -> None:
        """Keep what leads from one layer to the next."""
        self.weights.append(weights)
        self.slopes.append(slopes)

    def gradients(self, top: Array, layers: Sequence[int], *, residual: bool) -> dict[str, NDArray[Any]]:
        """``gradient_log_norm`` and ``gradient_gap`` at ``layers``, of which the last is len(weights) + 1, or
        of a residual network len(weights), where the gradient is ``top`` [sample, unit, input]. NaN at a
        layer without units.
        """
        last = len(self.weights) + (not residual)
        samples, _, inputs = top.shape
        log_norm = np.full((samples, len(layers), inputs), np.nan)
        gap = np.full((samples, len(layers), inputs * (inputs - 1) // 2), np.nan)
        gradient = top
        for layer in range(last, -1 if residual else 0, -1):
            if layer < last:
                at = layer if residual else layer - 1
                pulled = self.slopes[at] * (np.swapaxes(self.weights[at], 1, 2) @ gradient)
                gradient = gradient + pulled if residual else pulled
            if layer in layers:
                record = list(layers).index(layer)
                log_norm[:, record], gap[:, record] = observe(gradient)
        return {"gradient_log_norm": log_norm.astype(np.float32), "gradient_gap": gap.astype(np.float32)}


def observe(vectors: Array) -> tuple[Array, Array]:
    """log square norm [sample, input] and 1 − ρ [sample, pair] of vectors [sample, unit, input], without
    cancellation.
    """
    norms = np.sqrt(np.einsum("sui,sui->si", vectors, vectors))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_norm = 2 * np.log(norms)
        units = vectors / norms[:, None, :]
    first, second = np.triu_indices(vectors.shape[2], k=1)
    difference = units[:, :, first] - units[:, :, second]
    return log_norm, np.einsum("sup,sup->sp", difference, difference) / 2
