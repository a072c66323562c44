"""The oracle of perceptrons with normalised activations: every weight matrix drawn, in NumPy and float64.

z_1 = W x / √n_in, z_{ℓ+1} = n^{-1/2} W_ℓ N(φ_s(z_ℓ)). RMSNorm divides by the root mean square over units,
LayerNorm takes off the mean over units first; neither has an ε or a gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.architectures.mlp.oracle import in_chunks, inputs_with_gram
from deeplimits.architectures.rms_norm_mlp import NormalisedPerceptron
from deeplimits.networks.backpropagation import observe
from deeplimits.networks.network import Network


@in_chunks
def simulate(
    network: Network, layers: Sequence[int], samples: int, generator: np.random.Generator, readout: bool
) -> dict[str, NDArray[Any]]:
    """Draw ``samples`` independent networks and record them at ``layers``.

    Returns
    -------
    ``log_variance`` [sample, record, input], log V^{aa} with V_ℓ = ⟨N(φ_s(z_ℓ)), N(φ_s(z_ℓ))⟩ / n and V_0 the
    Gram of the inputs: 0, or −inf once every unit is dead; ``correlation_gap`` [sample, record, pair], 1 − ρ,
    NaN where an input is dead; with a ``readout`` also ``output``.
    """
    assert isinstance(network.kind, NormalisedPerceptron)
    widths, inputs, centred = network.widths, network.inputs, network.kind.centred
    vectors = inputs_with_gram(np.array(network.gram))
    recorded = {}
    if 0 in layers:
        recorded[0] = observe(np.broadcast_to(vectors.T, (samples, inputs, inputs)) / np.sqrt(inputs))
    state = np.broadcast_to(vectors.T / np.sqrt(inputs), (samples, inputs, inputs))
    for layer in range(1, (network.depth if readout else layers[-1]) + 1):
        width = widths[layer - 1]
        weights = generator.standard_normal((samples, width, state.shape[1]))
        activation = network.layers[layer - 1].phi(weights @ state)
        if centred:
            activation = activation - activation.mean(axis=1, keepdims=True)
        norm = np.sqrt(np.einsum("sui,sui->si", activation, activation))[:, None, :]
        # what is zero has no direction and stays zero
        state = np.divide(activation, norm, out=np.zeros_like(activation), where=norm > 0)
        recorded[layer] = observe(state)
    drawn: dict[str, NDArray[Any]] = {
        "log_variance": np.stack([np.round(recorded[layer][0], 12) + 0.0 for layer in layers], axis=1).astype(
            np.float32
        ),
        "correlation_gap": np.stack([recorded[layer][1] for layer in layers], axis=1).astype(np.float32),
    }
    if readout:
        weights = generator.standard_normal((samples, 1, widths[-1]))
        drawn["output"] = (weights @ state)[:, 0].astype(np.float32)
    return drawn
