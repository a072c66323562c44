"""The CPU engine against NumPy's generator, and on two threads: run this file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deeplimits.activations import Activation, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.engines import simulate_block
from deeplimits.networks.network import Network, Shaping
from measure import Ratio, keep, ratio

SHAPED = Shaping("width", 0.5)


def network(width: int, depth: int, inputs: int) -> Network:
    gram = tuple(tuple(1.0 if a == b else 0.3 for b in range(inputs)) for a in range(inputs))
    return Network(ReluLike(0.0, -1.0), width, depth, gram, shaping=SHAPED)


def smooth(inputs: int) -> Network:
    return replace(network(512, 512, inputs), activation=Smooth.of("tanh"))


def residual(activation: Activation, inputs: int) -> Network:
    plain = replace(network(512, 512, inputs), activation=activation, shaping=None)
    return replace(plain, architecture="resnet")


def against_numpy(inputs: int, samples: int = 128) -> Ratio:
    """Of shaped ReLU; see ``over_a_fill``."""
    bar = "<= 0.2" if inputs == 2 else "none"
    return over_a_fill(f"m = {inputs}", network(512, 512, inputs), samples, bar)


def over_a_fill(name: str, drawn: Network, samples: int, bar: str) -> Ratio:
    """A simulated normal, all told, over a float32 normal of NumPy's, on one core at n = d = 512."""
    normals = samples * drawn.normals_per_sample
    out = np.empty(1 << 20, np.float32)
    generator = np.random.default_rng(0)
    fills = max(1, normals // len(out) // 8)

    def fill() -> None:
        for _ in range(fills):
            generator.standard_normal(dtype=np.float32, out=out)

    return ratio(
        f"{name}: time per normal over NumPy's float32 fill",
        lambda: simulate_block(drawn, [512], 0, samples, threads=1),
        fill,
        bar,
        work=fills * len(out) / normals,
    )


def threads() -> Ratio:
    """One thread over two, n = d = 256, m = 2."""
    drawn = network(256, 256, 2)
    return ratio(
        "one thread over two",
        lambda: simulate_block(drawn, [256], 0, 2048, threads=1),
        lambda: simulate_block(drawn, [256], 0, 2048, threads=2),
        ">= 1.7",
    )


if __name__ == "__main__":
    figures = [against_numpy(2), against_numpy(1), against_numpy(3, 32), against_numpy(8, 8), threads()]
    for name, drawn in {
        "tanh, m = 2": smooth(2),
        "ResNet, m = 2": residual(ReluLike(), 2),
        "ResNet of tanh, m = 2": residual(Smooth.of("tanh"), 2),
        "ResNet of the Ornstein–Uhlenbeck activation, m = 1": residual(OrnsteinUhlenbeck(), 1),
    }.items():
        figures.append(over_a_fill(name, drawn, 32, "<= 0.5"))
    keep("engine", figures)
