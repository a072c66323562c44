"""Sampled paths of the covariance SDE of m inputs, dV = b(V) dt + Σ(V)^{1/2} dB, Σ_{ab,cd} = V^{ac} V^{bd} +
V^{ad} V^{bc} (Li, Nica & Roy 2022, Theorems 3.2 and 3.9), by a scheme that keeps V positive semi-definite.

**Noise.** The driftless SDE is solved by V = L Lᵀ with L lower triangular and

    dL = L (dK + D dt),    K_ii ~ N(0, t/2), K_ij ~ N(0, t) for i > j, independent, D_ii = −(i − ½) / 2,

i = 1 … m: Itô's formula gives dV = L (dK + dKᵀ) Lᵀ + L (2 D dt + dK dKᵀ) Lᵀ, where dK dKᵀ = diag(i − ½) dt
cancels D, and dK + dKᵀ has the variances 2 and 1 that Σ asks for. Written with one-parameter groups, L ↦ L
exp(x E_ij), those of the diagonal commute, and each flow is exact in law: a log-normal factor e^{N(−i t/2,
t/2)} on column i, or a Gaussian multiple N(0, t) of column i added to column j < i. A palindrome of such
flows and of a second-order step of the drift is of second order in the step, weakly (Strang). So E det V of a
linear network has no step error at all, and V = L Lᵀ is positive semi-definite whatever is drawn.

**Drift, ReLU-like.** ρ' = ½ [ρ + Φ(Φ(ρ))], Φ(ρ) = ρ + h ν(ρ), at fixed V^{aa}: the second-order Runge–Kutta
method that is a mean of Euler steps. Φ(ρ) = (1 − h κ/4) ρ + (h κ/2π) (√(1−ρ²) + ρ arcsin ρ), and the power
series of the bracket has no negative coefficient; so for h κ ≤ 4 neither has Φ, and by Schur's product
theorem it takes correlation matrices to correlation matrices. A mean of two is one.

**Drift, smooth.** b is a sum of two terms. That of B = φ'''(0) / 2a² is V^{ab} B (V^{aa} − 1 + V^{bb} − 1),
which scales rows and columns and leaves correlations alone. That of A = φ''(0)² / 4a² is A (v vᵀ + 2 V ∘ V −
3 V), v = diag V: an Euler step Φ(V) = (1 − 3Ah) V + Ah (v vᵀ + 2 V ∘ V) is a sum of positive semi-definite
matrices for 3Ah ≤ 1, and again ½ [V + Φ(Φ(V))] is of second order; its correlations are taken, and with them
the exact flow of both terms on the diagonal, dV = β V (V − 1) dt with β = 3A + 2B, through the explosion. A
path explodes where V^{aa} reaches 10¹² or the exact flow explodes; from there on it is +∞, and the other
inputs go on without it.

State and coefficients are float64; the noise is float32 normals from Philox with counter (step, group of
four, sample low, sample high + purpose). What is recorded changes no path: a time within a step is reached by
a shorter step from its start, with the same normals. With ``coarse`` the step is twice as long and its
normals are the normalised sums of the two it replaces, so that the difference of both paths is small and
Richardson's extrapolation, x + (x − x_coarse) / 3, adds little noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplimits.array_types import Array
from deeplimits.engines import resolve
from deeplimits.engines.calls import Call, Task
from deeplimits.engines.compile.native import Kernel
from deeplimits.engines.contract.shape import MAX_INPUTS
from deeplimits.engines.run.dispatch import fill
from deeplimits.engines.sde.paths import stream_key, tables_of

_KERNELS = {
    inputs: Kernel(
        "engines.sde.covariance_kernels",
        "covariance",
        "u8 i8 f8[2] i8 f8 f8 f8 i8 f8[3] i8[1] f8[1] f8[3] f8[3] i8[2] f8[3] f8[1] f8[1] f8[2]",
        inputs,
        inputs,
        units=False,
    )
    for inputs in range(1, MAX_INPUTS + 1)
}


def _state(inputs: int) -> int:
    """Numbers of a path in the memory of a card, float64 counted as two of float32."""
    return 2 * (4 * inputs**2 + inputs * (inputs + 1) + 4 + 5 * inputs)


_NO_DRIFT, _RELU_LIKE, _SMOOTH = 0, 1, 2
"""As the kernels have them."""


@dataclass(frozen=True, slots=True)
class Drift:
    """b(V): none, that of a ReLU-like network with ``kappa`` = (c₊ − c₋)², or that of a smooth one with ``a``
    = φ''(0)² / 4a² and ``b`` = φ'''(0) / 2a².
    """

    kappa: float = 0.0
    a: float = 0.0
    b: float = 0.0

    @property
    def strength(self) -> float:
        """What a step must be small beside: the inverse of the largest step that keeps V positive, for a
        ReLU-like drift, or of the time of growth.
        """
        return max(self.kappa / 4, 3 * self.a, 2 * abs(self.b))

    @property
    def mode(self) -> int:
        """Which drift the kernel applies."""
        if self.kappa:
            return _RELU_LIKE
        return _SMOOTH if self.a or self.b else _NO_DRIFT


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths of V: ``log_variance`` [sample, record, input], +∞ after an explosion; ``correlation_gap``
    [sample, record, pair], 1 − ρ of (0, 1), (0, 2), …, (1, 2), …, NaN after one; ``explosion_time`` [sample,
    input], the end of its step, ∞ where there is none.
    """

    log_variance: Array
    correlation_gap: Array
    explosion_time: Array


def covariance_paths(
    variances: Sequence[float],
    gaps: Sequence[float],
    drift: Drift,
    step: float,
    times: Sequence[float],
    first: int,
    count: int,
    seed: int = 0,
    *,
    coarse: bool = False,
    threads: int | None = None,
) -> Paths:
    """Paths of V at ``times`` (ascending) from V^{aa} = ``variances`` and 1 − ρ^{ab} = ``gaps`` (pairs in
    order).

    Raises
    ------
    ValueError
        If the step is too long for the drift to keep V positive semi-definite.
    """
    inputs = len(variances)
    size = 2 * step if coarse else step
    if size * drift.strength > 1:
        raise ValueError(f"a step of {size} with a drift of strength {drift.strength}: at most 1 / strength")
    key = stream_key(
        {
            "process": "covariance",
            "variances": [float(value).hex() for value in variances],
            "gaps": [float(value).hex() for value in gaps],
            "drift": [float(value).hex() for value in (drift.kappa, drift.a, drift.b)],
            "step": float(step).hex(),
            "seed": seed,
        }
    )
    at = np.asarray(times, float)
    steps = np.floor(at / size + 1e-9).astype(np.int64)
    rest = at - steps * size
    rest[np.abs(rest) < 1e-9 * size] = 0.0
    coefficient = drift.kappa / 2 if drift.kappa else 3 * drift.a
    variance = np.empty((count, len(steps), inputs))
    gap = np.empty((count, len(steps), inputs * (inputs - 1) // 2))
    exploded = np.empty((count, inputs), np.int64)
    start = triangle(variances, gaps)

    mode = drift.mode
    constants = (start, mode, size, coefficient, drift.b, int(coarse), tables_of("excess"), steps, rest)
    call = Call(_KERNELS[inputs], constants, (variance, gap, exploded), {}, state=_state(inputs))
    fill([Task(call, key, first, 1, lambda: _scratch(inputs))], resolve("auto"), threads)
    with np.errstate(divide="ignore"):
        log_variance = np.log(variance)
    return Paths(log_variance, gap, np.where(exploded < 0, np.inf, (exploded + 1) * size))


def _scratch(inputs: int) -> tuple[Array, ...]:
    """What the kernel needs to write in, for one thread."""
    return (
        np.zeros((3, inputs, inputs)),
        np.zeros(inputs * (inputs + 1) + 4),
        np.zeros(inputs),
        np.zeros((3 + inputs, inputs)),
    )


def triangle(variances: Sequence[float], gaps: Sequence[float]) -> Array:
    """L with L Lᵀ = V, lower triangular, from V^{aa} and 1 − ρ^{ab}; a singular V has columns of zeros."""
    inputs = len(variances)
    matrix = np.zeros((inputs, inputs))
    matrix[np.triu_indices(inputs, 1)] = gaps
    matrix = matrix + matrix.T
    near = matrix[0]
    # Cholesky of the part that is orthogonal to the first input, made of gaps alone
    left = near[:, None] + near[None, :] - matrix - np.outer(near, near)
    lower = np.zeros((inputs, inputs))
    lower[:, 0] = 1 - near
    for i in range(1, inputs):
        # term by term: BLAS adds in an order of its own on every kind of processor
        done = np.zeros(inputs - i)
        for k in range(1, i):
            done += lower[i:, k] * lower[i, k]
        pivot = left[i, i] - done[0]
        if pivot > 1e-13 * left[i, i]:
            lower[i:, i] = (left[i:, i] - done) / np.sqrt(pivot)
    return np.asarray(lower * np.sqrt(variances)[:, None])
