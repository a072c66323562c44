"""The Monte-Carlo kernel of neural-tangents: the NNGP kernel of two inputs of a ReLU network, in float32.

``monte_carlo_kernel_fn`` draws a sample at a time and keeps the mean. Its kernel is compiled for the network;
``compiled=yes`` also draws the weights of all layers in one compiled call, which it leaves to its user.
"""

from __future__ import annotations

import jax
import neural_tangents as nt
import numpy as np
from neural_tangents import stax
from serve import options, serve

given = options()
width, depth, samples = int(given["width"]), int(given["depth"]), int(given["samples"])
layers = [layer for _ in range(depth) for layer in (stax.Dense(width, W_std=2**0.5), stax.Relu())]
plain_weights, apply, _ = stax.serial(*layers)
leaves, tree = jax.tree_util.tree_flatten(plain_weights(jax.random.PRNGKey(0), (2, width))[1])


@jax.jit
def all_weights(key):
    return tuple(jax.random.normal(key, (len(leaves), width, width)))


def draw_weights(key, _):
    """The shape of the output, which is not needed, and the weights: N(0, 1), scaled where they are used."""
    return None, jax.tree_util.tree_unflatten(tree, all_weights(key))


inputs = jax.random.normal(jax.random.PRNGKey(0), (2, width))
initial = draw_weights if given["compiled"] == "yes" else plain_weights
kernel = nt.monte_carlo_kernel_fn(initial, apply, jax.random.PRNGKey(1), n_samples=samples)

if __name__ == "__main__":
    packages = ["neural-tangents", "jax", "jaxlib"]
    serve(lambda: float(np.asarray(kernel(inputs, None, "nngp")).mean()), packages, "all")
