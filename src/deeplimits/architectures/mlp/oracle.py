"""The oracle: multilayer perceptrons with every weight matrix drawn, in NumPy and float64.

z_1 = W_in x / √n_in, z_{ℓ+1} = √(c/n) W_ℓ φ_s(z_ℓ) with i.i.d. N(0, 1) weights (Li & Nica 2024, eq. (2.1)),
where n, φ_s and c are those of the layer. It is slow and obvious on purpose: the engines, which draw no
weight matrix, are tested against it in law. It has no number contract and never writes to the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import Slopes
from deeplimits.networks.backpropagation import Tape, observe
from deeplimits.networks.network import Layer, Network

ELEMENTS = 1 << 22
"""Weights held at a time."""


Drawn = dict[str, NDArray[Any]]


def in_chunks(draw: Callable[..., Drawn]) -> Callable[..., Drawn]:
    """``draw``, of so many samples at a time that their weights are held; with a ``readout`` those of all
    layers.
    """

    @wraps(draw)
    def simulate(
        network: Network,
        layers: Sequence[int],
        samples: int,
        generator: np.random.Generator,
        *,
        readout: bool = False,
    ) -> Drawn:
        chunk = max(1, ELEMENTS // (network.widest**2 * (network.depth if readout else 1)))
        parts = [
            draw(network, layers, min(chunk, samples - start), generator, readout)
            for start in range(0, samples, chunk)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return simulate


@in_chunks
def simulate(
    network: Network, layers: Sequence[int], samples: int, generator: np.random.Generator, readout: bool
) -> dict[str, NDArray[Any]]:
    """Draw ``samples`` independent networks and record them at ``layers``.

    Returns
    -------
    ``log_variance`` [sample, record, input], log V^{aa} with V_ℓ = (c/n) ⟨φ_s(z_ℓ), φ_s(z_ℓ)⟩ and V_0 the
    Gram of the inputs, −inf once every unit is dead; ``correlation_gap`` [sample, record, pair], 1 − ρ, NaN
    where an input is dead; where φ is smooth, ``exploded_at`` [sample, input], the first layer with V^{aa} ≥
    s² up to the last record, −1 where there is none; with a ``readout`` also ``output``, and
    ``gradient_log_norm`` and ``gradient_gap`` of it.
    """
    widths, inputs = network.widths, network.inputs
    vectors = inputs_with_gram(np.array(network.gram))
    # V_ℓ is held against the scale of the φ_s that it goes into
    of_next = [*network.layers, network.layers[-1]]
    exploded = np.full((samples, inputs), -1, np.int32)
    exploded[:, np.log(np.diag(network.gram)) >= _threshold(of_next[0])] = 0
    recorded, tape = {}, Tape()
    if 0 in layers:
        recorded[0] = observe(np.broadcast_to(vectors.T, (samples, inputs, inputs)) / np.sqrt(inputs))
    weights = generator.standard_normal((samples, widths[0], inputs))
    preactivation = weights @ vectors.T / np.sqrt(inputs)
    output = slopes = preactivation  # of no layer yet
    for layer in range(1, (network.depth if readout else layers[-1]) + 1):
        width, local = widths[layer - 1], network.layers[layer - 1]
        if layer > 1:
            weights = generator.standard_normal((samples, width, widths[layer - 2]))
            if readout:
                tape.add(weights, slopes)
            preactivation = weights @ output
        factor = np.sqrt(float(local.normalizer) / width)
        output = factor * local.phi(preactivation)
        if readout:
            slopes = factor * local.phi.slope(preactivation)
        observed = observe(output)
        exploded[(exploded < 0) & (observed[0] >= _threshold(of_next[layer]))] = layer
        recorded[layer] = observed
    exploded[exploded > layers[-1]] = -1
    drawn: dict[str, NDArray[Any]] = {
        name: np.stack([recorded[layer][index] for layer in layers], axis=1).astype(np.float32)
        for index, name in enumerate(("log_variance", "correlation_gap"))
    }
    if readout:
        weights = generator.standard_normal((samples, 1, widths[-1]))
        drawn["output"] = (weights @ output)[:, 0].astype(np.float32)
        drawn |= tape.gradients(slopes * np.swapaxes(weights, 1, 2), layers, residual=False)
    return drawn if network.piecewise_linear else drawn | {"exploded_at": exploded}


def _threshold(layer: Layer) -> float:
    return np.inf if isinstance(layer.phi, Slopes) else float(2 * np.log(float(layer.scale)))


def inputs_with_gram(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """m vectors in m dimensions (rows) with ⟨x^a, x^b⟩ / m = gram; singular Grams are allowed."""
    values, vectors = np.linalg.eigh(gram)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)) * np.sqrt(len(gram)))
