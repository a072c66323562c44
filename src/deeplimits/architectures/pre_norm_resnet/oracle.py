"""The oracle of pre-normalised residual networks: every weight matrix drawn, in NumPy and float64.

z_0 = W_in x / √n_in, z_{ℓ+1} = z_ℓ + d^{-½} √(c/n) W_ℓ φ(z_ℓ / rms(z_ℓ)), rms the root mean square of the
units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.architectures.mlp.oracle import in_chunks, inputs_with_gram
from deeplimits.networks.backpropagation import observe
from deeplimits.networks.network import Network


def simulate(
    network: Network,
    layers: Sequence[int],
    samples: int,
    generator: np.random.Generator,
    *,
    readout: bool = False,
) -> dict[str, NDArray[Any]]:
    """Draw ``samples`` independent networks and record them at ``layers``.

    Returns
    -------
    ``log_variance`` [sample, record, input], log V^{aa} with V_ℓ = ⟨z_ℓ, z_ℓ⟩ / n; ``correlation_gap``
    [sample, record, pair], 1 − ρ; ``log_activation`` [sample, record, input], log ‖φ(z_ℓ)‖² / n;
    ``collapsed_at`` [sample, input], the first layer with φ(z_ℓ) = 0 up to the last record, −1 where there is
    none; with a ``readout`` also ``output``.
    """
    return in_chunks(_chunk, network, layers, samples, generator, readout)


def _chunk(
    network: Network, layers: Sequence[int], samples: int, generator: np.random.Generator, readout: bool
) -> dict[str, NDArray[Any]]:
    width, inputs, phi = network.units, network.inputs, network.phi
    branch = np.sqrt(float(network.normalizer) / network.depth / width)
    vectors = inputs_with_gram(np.array(network.gram))
    state = generator.standard_normal((samples, width, inputs)) @ vectors.T / np.sqrt(inputs)
    collapsed = np.full((samples, inputs), -1, np.int32)
    recorded = []
    for layer in range((network.depth if readout else layers[-1]) + 1):
        if layer > 0:
            weights = generator.standard_normal((samples, width, width))
            norm = np.sqrt(np.mean(state**2, axis=1, keepdims=True))
            state = state + branch * (weights @ phi(state / norm))
        activation = phi(state)
        if layer <= layers[-1]:
            collapsed[(collapsed < 0) & ~activation.any(axis=1)] = layer
        if layer in layers:
            log_variance, gap = observe(state / np.sqrt(width))
            recorded.append((log_variance, gap, observe(activation / np.sqrt(width))[0]))
    names = ("log_variance", "correlation_gap", "log_activation")
    drawn: dict[str, NDArray[Any]] = {
        name: np.stack(arrays, axis=1).astype(np.float32)
        for name, arrays in zip(names, zip(*recorded, strict=True), strict=True)
    }
    if readout:
        weights = generator.standard_normal((samples, 1, width)) / np.sqrt(width)
        drawn["output"] = (weights @ state)[:, 0].astype(np.float32)
    return drawn | {"collapsed_at": collapsed}
