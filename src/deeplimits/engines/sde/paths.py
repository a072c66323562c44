"""Sampled paths of one-dimensional processes, under the number contract: the discrete schemes that the papers
plot.

Three processes: the Markov chain (2.10) of Li, Nica & Roy 2022, the Euler scheme of the correlation SDE, and
the scheme (4.9) of Li & Nica 2024 for r_t. State and coefficients are float64; the noise is float32 normals
from Philox with counter (step // 4, 0, sample low, sample high + purpose), four steps a call; the key comes
from the description of the process. Functions of ρ are polynomials in √(1 − ρ) or √(1 + ρ), fitted on the
host in 50 digits, so that 1 − ρ keeps its digits and no library function is called.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array
from deeplimits.digits import EXACT
from deeplimits.engines import resolve
from deeplimits.engines.calls import Call, Task
from deeplimits.engines.compile.native import Kernel
from deeplimits.engines.contract.shape import DEGREE, LANES
from deeplimits.engines.run.dispatch import fill

_CHAIN = Kernel(
    "engines.sde.path_kernels",
    "chain",
    "u8 i8 f8 f8 f8 f8[3] i8[1] f8[2] i8[1] f8[1] f4[2] f8[1]",
    units=False,
)
_CORRELATION = Kernel(
    "engines.sde.path_kernels",
    "correlation",
    "u8 i8 f8 f8 f8 f8 f8[3] i8[1] f8[2] i8[1] f8[1] f4[2] f8[1]",
    units=False,
)
_RESCALED = Kernel(
    "engines.sde.path_kernels", "rescaled", "u8 i8 f8 f8 f8 f8 i8[1] f8[2] f8[1] f4[2]", units=False
)


def stream_key(description: dict[str, Any]) -> np.uint64:
    """Key of the random stream of a process: 64 bits of the SHA-256 of its description."""
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return np.uint64(int(hashlib.sha256(text.encode()).hexdigest()[:16], 16))


def _excess(x: mpmath.mpf) -> mpmath.mpf:
    """(√(1−ρ²) − ρ arccos ρ) / π at ρ = 1 − x."""
    theta = 2 * EXACT.asin(EXACT.sqrt(x / 2))
    return (EXACT.sqrt(x * (2 - x)) - (1 - x) * theta) / EXACT.pi


def _chain_moments(x: mpmath.mpf) -> tuple[mpmath.mpf, mpmath.mpf]:
    """μ_r and σ_r of Li & Nica 2024, eq. (4.14), for ReLU, at ρ = 1 − x."""
    rho, c, m2 = 1 - x, 2, 5
    q = EXACT.sqrt(x * (2 - x))
    angle = EXACT.pi - 2 * EXACT.asin(EXACT.sqrt(x / 2))
    k1 = (q + rho * angle) / (2 * EXACT.pi)
    k2 = (3 * rho * q + (1 + 2 * rho**2) * angle) / (2 * EXACT.pi)
    k31 = (q * (2 + rho**2) + 3 * rho * angle) / (2 * EXACT.pi)
    drift = EXACT.mpf(c) / 4 * (k1 * (c**2 * k2 + 3 * m2 + 3) - 4 * c * k31)
    variance = EXACT.mpf(c**2) / 2 * (k1**2 * (c**2 * k2 + m2 + 1) - 4 * c * k1 * k31 + 2 * k2)
    return drift, EXACT.sqrt(max(variance, EXACT.mpf(0)))


@lru_cache
def tables_of(which: str) -> Array:
    """Coefficients [half, function, power], lowest power first.

    Half 0 is ρ ≥ 0 in s = √(1 − ρ), with the functions divided by 1 − ρ; half 1 is ρ < 0 in s = √(1 + ρ). The
    functions are the excess, and for the chain also μ_r and σ_r.
    """
    functions = [_excess]
    if which == "chain":
        functions += [lambda x: _chain_moments(x)[0], lambda x: _chain_moments(x)[1]]
    table = np.empty((2, len(functions), DEGREE + 1))
    for index, function in enumerate(functions):
        near = _fit(lambda s, f=function: f(s * s) / (s * s))
        far = _fit(lambda s, f=function: f(2 - s * s))
        table[0, index], table[1, index] = near, far
    return table


def _fit(function: Any) -> Array:
    """Interpolation at the Chebyshev nodes of [0, 1], as powers of s, in 50 digits."""
    size = DEGREE + 1
    nodes = [(1 + EXACT.cos(EXACT.pi * (2 * k + 1) / (2 * size))) / 2 for k in range(size)]
    powers = EXACT.matrix([[node**power for power in range(size)] for node in nodes])
    solved = EXACT.lu_solve(powers, EXACT.matrix([function(node) for node in nodes]))
    return np.array([float(solved[i]) for i in range(size)])


def _run(
    kernel: Kernel,
    arguments: tuple[Any, ...],
    steps: NDArray[np.int64],
    first: int,
    count: int,
    threads: int | None,
    counted: bool,
) -> tuple[Array, int]:
    out = np.empty((count, len(steps)))
    left = np.zeros(count, np.int64)
    outputs = (out, left) if counted else (out,)
    call = Call(kernel, (*arguments[1:], steps), outputs, {})

    def scratch() -> list[Array | NDArray[np.float32]]:
        """State, normals and projections of the paths in the lanes."""
        projections = [np.empty(LANES)] if counted else []
        return [np.empty(LANES), np.empty((4, LANES), np.float32), *projections]

    fill([Task(call, arguments[0], first, 1, scratch)], resolve("auto"), threads)
    return out, int(left.sum())


def chain_gaps(
    gap: float,
    width: int,
    layers: list[int],
    first: int,
    count: int,
    seed: int = 0,
    threads: int | None = None,
) -> tuple[Array, int]:
    """1 − ρ [sample, layer] of the Markov chain ρ' = c K₁(ρ) + μ_r(ρ)/n + σ_r(ρ) ξ/√n, ξ ~ N(0, 1), for
    unshaped ReLU.

    Also returns how often a step left [−1, 1] and was projected back, which Gaussian noise does now and then.
    """
    key = stream_key({"process": "chain", "gap": float(gap).hex(), "width": width, "seed": seed})
    steps = np.array(layers, np.int64)
    arguments = (key, gap, 1.0 / width, 1.0 / float(np.sqrt(np.float64(width))), tables_of("chain"))
    return _run(_CHAIN, arguments, steps, first, count, threads, True)


def correlation_gaps(
    gap: float,
    kappa: float,
    step: float,
    steps: list[int],
    first: int,
    count: int,
    seed: int = 0,
    threads: int | None = None,
) -> tuple[Array, int]:
    """1 − ρ [sample, record] of the Euler scheme of the correlation SDE after ``steps`` steps of size
    ``step``, and the number of projections.
    """
    key = stream_key(
        {
            "process": "correlation",
            "gap": float(gap).hex(),
            "kappa": float(kappa).hex(),
            "step": float(step).hex(),
            "seed": seed,
        }
    )
    arguments = (key, gap, 0.5 * kappa, step, float(np.sqrt(np.float64(step))), tables_of("excess"))
    return _run(_CORRELATION, arguments, np.array(steps, np.int64), first, count, threads, True)


def rescaled_correlations(
    start: float,
    step: float,
    steps: list[int],
    first: int,
    count: int,
    seed: int = 0,
    threads: int | None = None,
) -> Array:
    """r [sample, record] of the scheme (4.9), r' = r − 2 (1 − (1 − κ e^{r/2}) / (t + Δ)) Δ + 2√2 ξ √Δ, from r
    = ``start`` at t = 0.
    """
    key = stream_key(
        {"process": "rescaled", "start": float(start).hex(), "step": float(step).hex(), "seed": seed}
    )
    kappa = float(EXACT.sqrt(2) / (3 * EXACT.pi))
    arguments = (key, start, kappa, step, float(np.sqrt(np.float64(8.0) * step)))
    return _run(_RESCALED, arguments, np.array(steps, np.int64), first, count, threads, False)[0]
