"""The law of a diffusion dy = a(y) dt + dB at one time, from a dozen resolvents of its generator L.

Its density is p_t = (1/2πi) ∫ e^{zt} p̂ dz with (z − L) p̂ = p_0, along a hyperbola around the spectrum. The
midpoint rule on it converges exponentially (Weideman & Trefethen 2007, Math. Comp. 76, 1341); a drift that
carries the law further than the noise spreads it widens the spectrum, and asks for a wider hyperbola.

With A' = a, p̂ = e^A ψ solves ψ'' = (a² + a' + 2z) ψ where there is no source. Two solutions are carried over
each cell between nodes by Magnus' series to sixth order (Blanes, Casas, Oteo & Ros 2009, Phys. Rep. 470,
151), whose exponential is a closed form; eliminating ψ' leaves a relation of three neighbouring nodes, exact
but for Magnus, on nodes that may lie anywhere. A point mass is a jump of ψ' at its node. What is solved is
tridiagonal, by LAPACK's gtsv, which calls no BLAS: the number of threads leaves no trace in a bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array
from deeplimits.gaussian import spend

Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Diffusion:
    """dy = a(y) dt + dB.

    Parameters
    ----------
    coefficients
        y ↦ (a, a'), of the shape of y.
    """

    coefficients: Callable[[Array], tuple[Array, Array]]

    def drift(self, y: Array) -> Array:
        """a(y).

        Parameters
        ----------
        y
            Coordinates, any shape.

        Returns
        -------
        Of the shape of ``y``.
        """
        return self.coefficients(y)[0]


@dataclass(frozen=True)
class Contour:
    """z = scale (1 + sin(iθ − angle)) at the midpoints of ``poles`` steps of θ from 0, and their conjugates.

    Parameters
    ----------
    reach
        The largest displacement by the drift, in standard deviations, that it serves.
    """

    reach: float
    poles: int
    scale: float
    angle: float
    step: float

    def at(self, time: float) -> tuple[Complex, Complex]:
        """z and weights w [pole]: p_t = Re Σ w p̂(z)."""
        theta = 1j * (np.arange(self.poles) + 0.5) * self.step
        z = self.scale * (1 + np.sin(theta - self.angle))
        weights = self.step / np.pi * np.exp(z) * self.scale * np.cos(theta - self.angle)
        return z / time, weights / time


CONTOURS = (
    Contour(1.2, 11, 31.68411171945081, 0.9894298348422165, 0.11598018709499568),
    Contour(2.2, 13, 37.3981674616976, 0.9609838678614866, 0.09774308748486535),
    Contour(4.4, 17, 55.55078423552389, 0.94618822458101, 0.07297541382546446),
    Contour(9.0, 30, 20.642214113051047, 0.5995525928387757, 0.0674732769803706),
    Contour(17.0, 48, 20.388327162108244, 0.43570370287099736, 0.05535552926043589),
)
"""By their reach, ascending: fitted to the transition law of a constant drift, whose distribution function
and density they give to 2e-11 at displacements of 1, 2, 4, 8 and 16 standard deviations, and below."""


@dataclass(frozen=True)
class Pulse:
    """z on the imaginary axis, for a law that sweeps past every place in a short part of its time: Fourier's
    inversion of a pulse in time. It gives p where the law is, not where it has started, and no F.

    Parameters
    ----------
    displacement
        How far the drift carries the law, in standard deviations: it passes in the inverse part of its time.
    """

    displacement: float

    def at(self, time: float) -> tuple[Complex, Complex]:
        """As of a ``Contour``."""
        step = 2 * np.pi * self.displacement / (_PERIOD * time)
        number = np.arange(int(np.ceil(_HIGHEST * _PERIOD / (2 * np.pi)))) + 0.5
        z: Complex = (1j * step * number).astype(np.complex128)
        return z, np.asarray(step / np.pi * np.exp(z * time))


_PERIOD = 36.0
"""After so many of the times in which it passes a law may come again."""
_HIGHEST = 16.0
"""Largest frequency, over that time."""


@dataclass(frozen=True)
class Profile:
    """A law at ascending nodes: F, p, p' and p'', each [node]."""

    nodes: Array
    cumulative: Array
    density: Array
    slope: Array
    curvature: Array

    def part(self, first: int, stop: int) -> Profile:
        """The nodes from ``first`` to before ``stop``."""
        columns = (self.nodes, self.cumulative, self.density, self.slope, self.curvature)
        return Profile(*(column[first:stop] for column in columns))


@dataclass(frozen=True)
class Arrival:
    """A point mass that started before the nodes do, and runs into the first of them that has mass.

    Parameters
    ----------
    transform
        E e^{−zτ} of the time τ of its arrival, for an array of z.
    """

    transform: Callable[[Complex], Complex]

    def mean(self, time: float) -> float:
        """E τ, small beside ``time`` or no small part of it."""
        least: Complex = np.array([1e-4 / time], np.complex128)
        return float(-np.log(self.transform(least)[0].real)) * time / 1e-4


def profile(
    diffusion: Diffusion,
    nodes: Array,
    masses: Array,
    time: float,
    contour: Contour | Pulse,
    arrival: Arrival | None = None,
) -> Profile:
    """The law after ``time`` of point masses at the nodes, between absorbing ends.

    Parameters
    ----------
    nodes
        Ascending [node], as fine as the drift and the law ask for.
    masses
        Of the start, at each node [node].
    arrival
        Where given, the mass reaches its node later; then the law holds from that node on.
    """
    z, weights = contour.at(time)
    spend(len(z) * len(nodes))
    cells = _Cells(diffusion, nodes, 2 * z)
    source: Complex = np.broadcast_to(-2 * masses[1:-1], (len(z), len(nodes) - 2)).astype(complex)
    if arrival is not None:
        source *= arrival.transform(z)[:, None]
    density = np.zeros((len(z), len(nodes)), complex)
    density[:, 1:-1] = cells.solved(source)
    tilt = cells.tilts(density)
    drift, slope = diffusion.coefficients(nodes)
    started = np.cumsum(masses) - masses / 2

    def inverted(factors: Complex, transform: Complex) -> Array:
        return np.asarray((factors[:, None] * transform).real.sum(axis=0))

    p, bent, moved = (
        inverted(weights, density),
        inverted(weights, tilt),
        inverted(weights * z, density),
    )
    bent += drift * p
    curved = 2 * (moved + slope * p + drift * bent)
    # z F̂ = F_0 + ½ p̂' − a p̂: what has not flowed past
    flux = inverted(weights / z, tilt - drift * density) / 2
    cumulative = flux + started * float((weights / z).real.sum())
    return Profile(nodes, cumulative, p, bent, curved)


def summed(found: Profile) -> Profile:
    """With F as the integral of p from the first node on, of polynomials of degree 5."""
    h, p, slope, curvature = np.diff(found.nodes), found.density, found.slope, found.curvature
    parts = h / 2 * (p[:-1] + p[1:]) + h**2 / 10 * (slope[:-1] - slope[1:])
    parts += h**3 / 120 * (curvature[:-1] + curvature[1:])
    return replace(found, cumulative=np.concatenate([[0.0], np.cumsum(parts)]))


class _Cells:
    """The three-point relations of p̂ [pole, cell], at λ = 2z [pole].

    Over a cell (ψ, ψ') goes to (A ψ + B ψ', C ψ + D ψ'); kept are A/B, D/B and 1/B, and e^{∓∫a} / B, which
    joins p̂ at the right end to the left one, and the left to the right.
    """

    def __init__(self, diffusion: Diffusion, nodes: Array, shift: Complex) -> None:
        width = np.diff(nodes)
        drift, slope = diffusion.coefficients(nodes[:-1] + _POINTS * width)
        well = drift**2 + slope
        middle = well[1]
        linear = np.sqrt(15.0) / 3 * width * (well[2] - well[0])
        curvature = 10.0 / 3 * width * (well[2] - 2 * middle + well[0])
        square, cube = width**2, width**3
        # Ω = x [[0, 1], [0, 0]] + y [[0, 0], [1, 0]] + d diag(1, −1), y and d linear in Q = well + λ
        x = width + (cube * linear**2 / 15 - 4 / 3 * square * curvature) / 240
        d_slope = cube * linear / 180
        d_level = (square * linear * curvature / 30 - 20 * width * linear) / 240 + d_slope * middle
        y_slope = width + (20 * square * curvature + cube * linear**2) / 3600
        y_level = curvature / 12 + width * (curvature**2 / 30 - linear**2) / 120 + y_slope * middle
        d = d_level + d_slope * shift[:, None]
        root = np.sqrt(d * d + x * (y_level + y_slope * shift[:, None]))
        decay = np.exp(-root)
        both = decay * decay
        over = root / ((1 - both) * x)
        even = over * (1 + both)
        d /= x
        self._left, self._right = even + d, even - d
        turn = np.exp(-width * (5 * drift[0] + 8 * drift[1] + 5 * drift[2]) / 18)
        link = 2 * over * decay
        self._up, self._down = link * turn, link / turn

    def solved(self, source: Complex) -> Complex:
        """p̂ at the inner nodes [pole, node], from the jumps of its slope there; 0 at the ends."""
        from scipy.linalg.lapack import zgtsv

        up, down = self._up[:, 1:-1], self._down[:, 1:-1]
        diagonal = -(self._left[:, 1:] + self._right[:, :-1])
        found = np.empty_like(source)
        for pole in range(len(source)):
            *_, found[pole], failed = zgtsv(down[pole], diagonal[pole], up[pole], source[pole])
            if failed:
                raise ArithmeticError("the resolvent of a diffusion is singular on its contour")
        return found

    def tilts(self, density: Complex) -> Complex:
        """e^A ψ' = p̂' − a p̂ at the nodes, the mean of both sides where there is a source."""
        right = self._up * density[:, 1:] - self._left * density[:, :-1]
        left = self._right * density[:, 1:] - self._down * density[:, :-1]
        return np.concatenate([right[:, :1], (right[:, 1:] + left[:, :-1]) / 2, left[:, -1:]], axis=1)


_POINTS = (0.5 + np.sqrt(0.15) * np.array([-1.0, 0.0, 1.0]))[:, None]
"""Of Gauss' rule of three points on [0, 1]."""
