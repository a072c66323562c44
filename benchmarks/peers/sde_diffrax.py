"""Euler's scheme for the correlation SDE in diffrax, as fast as it goes, in float32.

What its documentation and issues name for speed: errors as NaN, prescribed steps, no support of gradients,
noise that is drawn anew at each step. ``form``: ``batch``, one equation of many components; ``vmap``, many
equations; ``scan``, no diffrax but the same steps as a loop of JAX.
"""

from __future__ import annotations

import os

os.environ["EQX_ON_ERROR"] = "nan"

import diffrax
import jax
import jax.numpy as jnp
import lineax
from serve import options, serve

given = options()
paths, steps, form = int(given["paths"]), int(given["steps"]), given["form"]
start, kappa = 0.3, 1.0
grid = jnp.linspace(0.0, 1.0, steps + 1)


def drift(_time, rho, _arguments):
    rho = jnp.clip(rho, -1.0, 1.0)
    square = 1 - rho * rho
    excess = (jnp.sqrt(square) - rho * jnp.arccos(rho)) / jnp.pi
    return 0.5 * kappa * excess - 0.5 * rho * square


def spread(_time, rho, _arguments):
    return 1 - rho * rho


def solved(key, shape):
    def diffusion(time, rho, arguments):
        value = spread(time, rho, arguments)
        return lineax.DiagonalLinearOperator(value) if shape else value

    if shape:
        noise = diffrax.ControlTerm(diffusion, diffrax.UnsafeBrownianPath(shape, key))
    else:
        # of one component: a product of numbers
        noise = diffrax.ControlTerm(diffusion, diffrax.UnsafeBrownianPath((), key))
    return diffrax.diffeqsolve(
        diffrax.MultiTerm(diffrax.ODETerm(drift), noise),
        diffrax.Euler(),
        0.0,
        1.0,
        None,
        jnp.full(shape, start),
        saveat=diffrax.SaveAt(t1=True),
        stepsize_controller=diffrax.StepTo(grid),
        adjoint=diffrax.ForwardMode(),
        max_steps=steps,
        throw=False,
    ).ys


@jax.jit
def run(key):
    if form == "batch":
        return solved(key, (paths,))
    if form == "vmap":
        return jax.vmap(lambda each: solved(each, ()))(jax.random.split(key, paths))
    size = 1.0 / steps

    def step(rho, key):
        noise = jax.random.normal(key, (paths,)) * size**0.5
        return jnp.clip(rho + drift(0, rho, None) * size + spread(0, rho, None) * noise, -1, 1), None

    return jax.lax.scan(step, jnp.full((paths,), start), jax.random.split(key, steps))[0]


if __name__ == "__main__":
    packages = ["jax", "jaxlib"] if form == "scan" else ["diffrax", "jax", "jaxlib"]
    serve(lambda: float(run(jax.random.key(0)).mean()), packages, "all")
