"""The oracle of residual networks: every weight matrix drawn, in NumPy and float64.

z_0 = W_in x / √n_in, z_{ℓ+1} = z_ℓ + d^{-b} n^{-1/2} W_ℓ φ(z_ℓ) with i.i.d. N(0, 1) weights (Li & Nica 2024,
eq. (2.12); Hayou 2022, eq. (1)); pre-normalised, z_{ℓ+1} = z_ℓ + d^{-½} √(c/n) W_ℓ φ(z_ℓ / rms(z_ℓ)), rms
the root mean square of the units. It is slow and obvious on purpose, as ``mlp`` is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.architectures.mlp.oracle import in_chunks, inputs_with_gram
from deeplimits.networks.backpropagation import Tape, observe
from deeplimits.networks.network import Network


@in_chunks
def simulate(
    network: Network, layers: Sequence[int], samples: int, generator: np.random.Generator, readout: bool
) -> dict[str, NDArray[Any]]:
    """Draw ``samples`` independent networks and record them at ``layers``.

    Returns
    -------
    ``log_variance`` [sample, record, input], log V^{aa} with V_ℓ = ⟨z_ℓ, z_ℓ⟩ / n; ``correlation_gap``
    [sample, record, pair], 1 − ρ; ``log_activation`` [sample, record, input], log ‖φ(z_ℓ)‖² / n, −inf once it
    has collapsed; ``activation_gap`` [sample, record, pair], 1 − cosine of φ(z_ℓ); ``collapsed_at`` [sample,
    input], the first layer with φ(z_ℓ) = 0 up to the last record, −1 where there is none; with a ``readout``
    also ``output``, and ``gradient_log_norm`` and ``gradient_gap`` of it, where there are gradients.
    """
    width, inputs = network.units, network.inputs
    pre_normalised = network.kind.normalising
    branch = float(network.depth) ** -network.branch_exponent / np.sqrt(width)
    if pre_normalised:
        branch = np.sqrt(float(network.normalizer) / network.depth / width)
    if network.start is not None:
        state = np.full((samples, width, 1), network.start)
    else:
        vectors = inputs_with_gram(np.array(network.gram))
        state = generator.standard_normal((samples, width, inputs)) @ vectors.T / np.sqrt(inputs)
    collapsed = np.full((samples, inputs), -1, np.int32)
    recorded, tape = [], Tape()
    for layer in range((network.depth if readout else layers[-1]) + 1):
        if layer > 0:
            weights = generator.standard_normal((samples, width, width))
            if readout:
                tape.add(weights, branch * network.phi.slope(state))
            norm = np.sqrt(np.mean(state**2, axis=1, keepdims=True)) if pre_normalised else 1.0
            state = state + branch * (weights @ network.phi(state / norm))
        activation = network.phi(state)
        collapsed[(collapsed < 0) & ~activation.any(axis=1)] = layer
        if layer in layers:
            recorded.append((*observe(state / np.sqrt(width)), *observe(activation / np.sqrt(width))))
    names = ("log_variance", "correlation_gap", "log_activation", "activation_gap")
    drawn: dict[str, NDArray[Any]] = {
        name: np.stack(arrays, axis=1).astype(np.float32)
        for name, arrays in zip(names, zip(*recorded, strict=True), strict=True)
    }
    if readout:
        weights = generator.standard_normal((samples, 1, width)) / np.sqrt(width)
        drawn["output"] = (weights @ state)[:, 0].astype(np.float32)
        top = np.broadcast_to(np.swapaxes(weights, 1, 2), state.shape)
        drawn |= tape.gradients(top, layers, residual=True) if network.kind.gradients else {}
    collapsed[collapsed > layers[-1]] = -1
    return drawn | {"collapsed_at": collapsed}
