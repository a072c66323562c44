"""Where the engine loses or gains little: narrow networks, single samples, smooth activations, residual
networks, more inputs. On one core.

Explicit weights are NumPy's here, a batch of samples at a time, of unshaped ReLU networks with two inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from deeplimits.activations import ReluLike, Smooth
from deeplimits.engines import simulate_block
from deeplimits.networks.network import Network
from engine import network, residual, smooth
from measure import Ratio, keep, ratio

DEPTH = 64


def explicit(width: int, depth: int, samples: int) -> Callable[[], object]:
    """Draws networks with their weights, all samples at once."""
    generator = np.random.default_rng(0)
    weights = np.empty((samples, width, width), np.float32)
    scale = np.float32((2 / width) ** 0.5)

    def draw() -> object:
        z = generator.standard_normal((samples, width, 2), np.float32)
        for _ in range(depth - 1):
            generator.standard_normal(dtype=np.float32, out=weights)
            z = scale * (weights @ np.maximum(z, 0))
        phi = np.maximum(z, 0)
        return phi.transpose(0, 2, 1) @ phi

    return draw


def narrow(width: int, samples: int, name: str) -> Ratio:
    """Explicit weights over ours."""
    drawn = replace(network(width, DEPTH, 2), shaping=None)
    return ratio(
        f"{name}: NumPy's weights over ours",
        explicit(width, DEPTH, samples),
        lambda: simulate_block(drawn, [DEPTH], 0, samples, threads=1),
        "none",
    )


def beside_relu(name: str, drawn: Network, samples: int) -> Ratio:
    """A simulated normal over one of a ReLU-like network of two inputs, n = d = 512."""
    plain = network(512, 512, 2)
    return ratio(
        f"{name}, over shaped ReLU with two inputs, a normal",
        lambda: simulate_block(drawn, [512], 0, samples, threads=1),
        lambda: simulate_block(plain, [512], 0, 128, threads=1),
        "none",
        rounds=5,
        work=128 * plain.normals_per_sample / (samples * drawn.normals_per_sample),
    )


if __name__ == "__main__":
    figures = [narrow(width, 4096, f"n = {width}, N = 4,096") for width in (1, 2, 4, 8, 16, 32)]
    figures += [narrow(width, 1, f"n = {width}, one sample") for width in (8, 32, 128)]
    figures += [
        beside_relu("tanh, two inputs", smooth(2), 32),
        beside_relu("ResNet, two inputs", residual(ReluLike(), 2), 32),
        beside_relu("ResNet of tanh, two inputs", residual(Smooth.of("tanh"), 2), 32),
        beside_relu("shaped ReLU, three inputs", network(512, 512, 3), 32),
        beside_relu("shaped ReLU, eight inputs", network(512, 512, 8), 8),
    ]
    keep("losses", figures)
