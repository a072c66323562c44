"""Euler's scheme for the correlation SDE of shaped ReLU, 2¹³ paths of 100 steps: a loop of NumPy beside
ours, on one core.

With a Python that has the peers (see README.md), also diffrax, torchsde and a compiled loop of JAX, each on
all processors:

    python benchmarks/sampled_paths.py [/path/to/python/with/peers]

All work in float32, but for our state and coefficients, which are float64.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from deeplimits.engines.sde.paths import correlation_gaps
from measure import Peer, Ratio, keep, ratio

PATHS = 1 << 13
STEPS = 100
START = 0.3
KAPPA = 1.0
BARS = {"diffrax, batch": ">= 5", "diffrax, vmap": ">= 5"}
OPTIONS = {
    "diffrax, batch": ("sde_diffrax", {"form": "batch"}),
    "diffrax, vmap": ("sde_diffrax", {"form": "vmap"}),
    "a compiled loop of JAX": ("sde_diffrax", {"form": "scan"}),
    "torchsde": ("sde_torchsde", {}),
}


def numpy_loop() -> NDArray[np.float32]:
    """ρ at the end of each path, one vector operation after the other."""
    f4 = np.float32
    generator = np.random.default_rng(0)
    size, half, inverse_pi = f4(1 / STEPS), f4(KAPPA / 2), f4(1 / np.pi)
    root = np.sqrt(size)
    rho = np.full(PATHS, START, f4)
    for _ in range(STEPS):
        square = 1 - rho * rho
        excess = (np.sqrt(square) - rho * np.arccos(rho)) * inverse_pi
        drift = half * excess - f4(0.5) * rho * square
        noise = generator.standard_normal(PATHS, f4)
        rho = np.clip(rho + drift * size + square * (root * noise), f4(-1), f4(1))
    return rho


def ours(threads: int | None = None) -> NDArray[np.float64]:
    gaps, _ = correlation_gaps(1 - START, KAPPA, 1 / STEPS, [STEPS], 0, PATHS, threads=threads)
    return 1 - gaps[:, 0]


def check(name: str, mean: float) -> None:
    """That a peer draws the same process: means within five standard errors of their difference."""
    drawn = ours()
    error = drawn.std() * (2 / PATHS) ** 0.5
    assert abs(mean - drawn.mean()) < 5 * error, (name, mean, drawn.mean(), error)


def main(python: str | None) -> None:
    check("NumPy", float(numpy_loop().mean()))
    figures: list[Ratio] = [
        ratio("a loop of NumPy over ours, one core", numpy_loop, lambda: ours(1), ">= 2"),
    ]
    versions: dict[str, str] = {}
    for name, (program, options) in OPTIONS.items() if python else ():
        with Peer(python, program, paths=PATHS, steps=STEPS, **options) as peer:
            check(name, peer.facts["mean"])
            versions |= peer.facts["versions"]
            figures.append(ratio(f"{name} over ours", peer, ours, BARS.get(name, "none")))
    keep("sampled_paths" if python else "sampled_paths_numpy", figures, versions)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    main(sys.argv[1] if len(sys.argv) == 2 else None)
