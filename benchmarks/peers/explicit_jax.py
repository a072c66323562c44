"""Networks with explicit weights in JAX, of two inputs, in float32: one compiled loop over layers, with
weights drawn anew for every sample, as many samples at a time as ``chunk`` says.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from serve import options, serve

given = options()
width, depth = int(given["width"]), int(given["depth"])
samples, chunk = int(given["samples"]), int(given["chunk"])
plus, minus = 1.0, 1.0 - width**-0.5
scale = (2 / (plus**2 + minus**2) / width) ** 0.5


def activated(z: jax.Array) -> jax.Array:
    return scale * jnp.where(z > 0, plus * z, minus * z)


@jax.jit
def draw_chunk(key: jax.Array) -> jax.Array:
    first, rest = jax.random.split(key)
    z = jax.random.normal(first, (chunk, width, 2))
    z = jnp.stack([z[:, :, 0], 0.3 * z[:, :, 0] + 0.91**0.5 * z[:, :, 1]], axis=2)

    def layer(z: jax.Array, key: jax.Array) -> tuple[jax.Array, None]:
        return jax.random.normal(key, (chunk, width, width)) @ activated(z), None

    z, _ = jax.lax.scan(layer, z, jax.random.split(rest, depth - 1))
    phi = activated(z)
    return phi.transpose(0, 2, 1) @ phi


def draw() -> float:
    """The mean correlation at the last layer."""
    keys = jax.random.split(jax.random.key(0), samples // chunk)
    found = jnp.concatenate([draw_chunk(key) for key in keys])
    return float((found[:, 0, 1] / jnp.sqrt(found[:, 0, 0] * found[:, 1, 1])).mean())


if __name__ == "__main__":
    serve(draw, ["jax", "jaxlib"], "all")
