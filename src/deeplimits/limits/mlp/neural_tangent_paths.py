"""Paths of the neural tangent SDE of one or two inputs: gradients backward along paths of the covariance SDE.

Given all preactivations of the inputs a, W of a layer is known on the span of what goes into it, and fresh
elsewhere. With V_s from the covariance SDE, C^{ba} = ⟨z^b, ∂z_out(a)/∂z⟩ and G^{ab} = ⟨∂z_out(a)/∂z,
∂z_out(b)/∂z⟩, backward in time from G = 1 and C^{ba} = z_out(b), z_out | V_T ~ N(0, V_T), the same readout
for all inputs,

    dG = [(C' V⁻¹ C) − m G + ν'(ρ) ∘ G] ds + Σ(G)^{1/2} dB̃,    ν'(ρ^{ab}) = −(κ/2π) arccos ρ^{ab},

m the number of inputs. C^{aa} does not move, for φ(z) = φ'(z) z. C^{ba} does where the signs of units differ:
with D^{ab} = E z^a z^b 1{z^a z^b < 0},

    dC^{ba} = ½ κ [D^{ab} (V⁻¹ C^{·a})_a − D^{bb} (V⁻¹ C^{·a})_b] ds + noise of covariance
    ⟨C^{ba}, C^{ba}⟩ = κ D^{bb} G^{aa},  ⟨C^{ba}, C^{ab}⟩ = −κ D^{ab} G^{ab},  independent of B̃.

K_T^{ab} = n ∫ V_s^{ab} G_s^{ab} ds. A step is a palindrome of these parts, of second order; G and K are
positive semi-definite whatever is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deeplimits.array_types import Array
from deeplimits.engines.sde.covariance import Drift, covariance_paths
from deeplimits.engines.sde.paths import stream_key

_CHUNK = 1 << 13
"""Paths at a time, which have a random stream of their own."""


@dataclass(frozen=True, slots=True)
class KernelPaths:
    """∫ V^{aa} G^{aa} ds of the first input and of the second, and ∫ V^{ab} G^{ab} ds, each [sample]; of one
    input three times the same.
    """

    first: Array
    second: Array
    cross: Array


def kernel_paths(
    variances: tuple[float, ...],
    gap: float | None,
    kappa: float,
    time: float,
    steps: int,
    count: int,
    seed: int = 0,
) -> KernelPaths:
    """Kernels over n of ``count`` paths of a network that ends at ``time``.

    Parameters
    ----------
    variances, gap
        V_0^{aa} of one or two inputs, and 1 − ρ_0 of two.
    kappa
        (c₊ − c₋)², 0 of a linear network.
    steps
        In all.
    """
    step = time / steps
    times = [float(at * step) for at in range(steps + 1)]
    gaps = () if gap is None else (gap,)
    drift = Drift(kappa=0.0 if gap is None else kappa)
    description = {
        "process": "neural tangent",
        "variances": [float(value).hex() for value in variances],
        "gaps": [float(value).hex() for value in gaps],
        "kappa": float(drift.kappa).hex(),
        "step": float(step).hex(),
        "seed": seed,
    }
    key, parts = stream_key(description), []
    for at in range(-(-count // _CHUNK)):
        generator = np.random.Generator(np.random.Philox(key=np.array([key, at], np.uint64)))
        paths = covariance_paths(variances, gaps, drift, step, times, at * _CHUNK, _CHUNK, seed)
        variance = np.exp(np.ascontiguousarray(paths.log_variance.transpose(1, 2, 0)))
        if gap is None:
            parts.append(_one(variance[:, 0], step, generator))
            continue
        angles = np.ascontiguousarray(paths.correlation_gap[:, :, 0].T)
        parts.append(_Backward(variance, angles, kappa, step, generator).kernels())
    return KernelPaths(*np.concatenate(parts, axis=1)[:, :count])


def _weights(steps: int, step: float) -> Iterator[tuple[int, float]]:
    """The weights of the trapezoidal rule, backward in time."""
    for at in range(steps, -1, -1):
        yield at, step / 2 if at in (0, steps) else step


def _one(variance: Array, step: float, generator: np.random.Generator) -> Array:
    """∫ V G ds three times [3, sample], given V [time, sample]."""
    steps, samples = len(variance) - 1, variance.shape[1]
    square = variance[-1] * generator.standard_normal(samples) ** 2
    gradient, total = np.ones(samples), np.zeros(samples)
    kept, gained = float(np.exp(-step / 2)), float(-np.expm1(-step / 2))
    for at, weight in _weights(steps, step):
        if at < steps:
            gradient = kept * gradient + gained * square / variance[at + 1]
            gradient *= np.exp(np.sqrt(2 * step) * generator.standard_normal(samples) - step)
            gradient = kept * gradient + gained * square / variance[at]
        total += weight * variance[at] * gradient
    return np.stack([total] * 3)


class _Place:
    """What the backward pass of two inputs needs of V at a time, each [sample]."""

    def __init__(self, variance: Array, gap: Array, kappa: float) -> None:
        self.one, self.two = np.sqrt(variance)
        # √(1 − ρ²) and ρ from 1 − ρ
        self.sine, self.rho = np.sqrt(gap * (2 - gap)), 1 - gap
        theta = np.arctan2(self.sine, self.rho)
        self.diffusion = kappa * (theta - self.sine * self.rho) / np.pi
        self.turn = -kappa * (self.sine - theta * self.rho) / np.pi
        self.fade = kappa * theta / (2 * np.pi)

    def whitened(self, one: Array, two: Array) -> tuple[Array, Array]:
        """L⁻¹ (one, two), V = L Lᵀ."""
        up = one / self.one
        return up, (two / self.two - self.rho * up) / self.sine


class _Backward:
    """The backward pass of two inputs: G, and C^{ba} over √V^{bb}, which is of order 1."""

    def __init__(
        self, variance: Array, gap: Array, kappa: float, step: float, generator: np.random.Generator
    ) -> None:
        self.variance, self.gap, self.kappa = variance, gap, kappa
        self.step, self.generator = step, generator
        samples = gap.shape[1]
        end = _Place(variance[-1], gap[-1], kappa)
        draws = generator.standard_normal((2, samples))
        self.outputs = end.one * draws[0], end.two * (end.rho * draws[0] + end.sine * draws[1])
        self.crossed = self.outputs  # C^{12}, C^{21}
        self.g11, self.g12, self.g22 = np.ones((3, samples))

    def kernels(self) -> Array:
        """∫ V G ds of (1, 1), (2, 2) and (1, 2) [3, sample]."""
        steps, sums = len(self.gap) - 1, np.zeros((3, self.gap.shape[1]))
        here = _Place(self.variance[-1], self.gap[-1], self.kappa)
        for at, weight in _weights(steps, self.step):
            if at < steps:
                self._drift(here)
                self._spread(here)
                self._stir()
                here = _Place(self.variance[at], self.gap[at], self.kappa)
                self._spread(here)
                self._drift(here)
            sums[0] += weight * here.one**2 * self.g11
            sums[1] += weight * here.two**2 * self.g22
            sums[2] += weight * here.one * here.two * here.rho * self.g12
        return sums

    def _drift(self, v: _Place) -> None:
        """Half a step of the drift of C, by the midpoint rule, and of G."""
        half = self.step / 2
        (u1, u2), (c12, c21) = self.outputs, self.crossed
        if self.kappa:
            for part in (half / 4, half / 2):
                x1, x2 = v.whitened(u1, self.crossed[1])
                y1, y2 = v.whitened(self.crossed[0], u2)
                # √V^{aa} (V⁻¹ C^{·a})_a and √V^{bb} (V⁻¹ C^{·a})_b by L⁻ᵀ
                x2, y2 = x2 / v.sine, y2 / v.sine
                x1, y1 = x1 - v.rho * x2, y1 - v.rho * y2
                moved21 = part * v.two * (v.turn * x1 - v.diffusion * x2)
                moved12 = part * v.one * (v.turn * y2 - v.diffusion * y1)
                self.crossed = c12 + moved12, c21 + moved21
        x1, x2 = v.whitened(u1, (c21 + self.crossed[1]) / 2)
        y1, y2 = v.whitened((c12 + self.crossed[0]) / 2, u2)
        kept, gained = float(np.exp(-2 * half)), float(-np.expm1(-2 * half)) / 2
        self.g11 = kept * self.g11 + gained * (x1**2 + x2**2)
        self.g22 = kept * self.g22 + gained * (y1**2 + y2**2)
        # Schur's product of two matrices that are positive semi-definite
        self.g12 = np.exp(-half * v.fade) * (kept * self.g12 + gained * (x1 * y1 + x2 * y2))

    def _spread(self, v: _Place) -> None:
        """The noise of C in half a step."""
        if not self.kappa:
            return
        n1, n2 = self.generator.standard_normal((2, len(self.g11)))
        scale = np.sqrt(self.step / 2 * v.diffusion)
        one, other = scale * v.two * np.sqrt(self.g11), scale * v.one * np.sqrt(self.g22)
        along = -v.turn / v.diffusion * self.g12 / np.sqrt(self.g11 * self.g22)
        c12, c21 = self.crossed
        across = np.sqrt(np.maximum(1 - along**2, 0.0))
        self.crossed = c12 + other * (along * n1 + across * n2), c21 + one * n1

    def _stir(self) -> None:
        """The noise of G in a step, by flows of L, G = L Lᵀ (``engines.sde.covariance``)."""
        n1, n2, n3, n4 = self.generator.standard_normal((4, len(self.g11)))
        l11 = np.sqrt(self.g11)
        l21 = self.g12 / l11
        l22 = np.sqrt(np.maximum(self.g22 - l21**2, 0.0))
        root = np.sqrt(self.step / 2)
        column = np.exp(root * n2 - self.step / 2)
        l11, l21 = l11 * column, (l21 + root * n1 * l22) * column
        l22 = l22 * np.exp(root * n3 - self.step)
        l21 = l21 + root * n4 * l22
        self.g11, self.g12, self.g22 = l11**2, l11 * l21, l21**2 + l22**2
