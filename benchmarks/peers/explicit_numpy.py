"""Networks with explicit weights in NumPy, of two inputs, in float32: fresh weights for each sample."""

from __future__ import annotations

import numpy as np
from serve import options, serve

given = options()
width, depth, samples = int(given["width"]), int(given["depth"]), int(given["samples"])
plus, minus = np.float32(1), np.float32(1 - width**-0.5)
scale = np.float32((2 / (plus**2 + minus**2) / width) ** 0.5)
generator = np.random.default_rng(0)
weights = np.empty((width, width), np.float32)


def sample() -> np.ndarray:
    z = generator.standard_normal((width, 2), np.float32)
    z[:, 1] = np.float32(0.3) * z[:, 0] + np.float32(0.91**0.5) * z[:, 1]
    for _ in range(depth - 1):
        generator.standard_normal(dtype=np.float32, out=weights)
        z = scale * (weights @ np.where(z > 0, plus * z, minus * z))
    phi = scale * np.where(z > 0, plus * z, minus * z)
    return phi.T @ phi


def draw() -> float:
    """The mean correlation at the last layer."""
    found = np.stack([sample() for _ in range(samples)])
    return float((found[:, 0, 1] / np.sqrt(found[:, 0, 0] * found[:, 1, 1])).mean())


if __name__ == "__main__":
    serve(draw, ["numpy"], "all for products")
