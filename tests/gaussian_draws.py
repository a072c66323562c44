"""Activations and variances drawn at random for tests of expectations over Gaussians, and expectations by other
means: an adaptive rule in 30 digits, and a brute-force rule in two dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import SMOOTH, ShapedSmooth, Smooth, shaped
from deeplimits.formulas import FUNCTIONS, Formula, Library
from deeplimits.gaussian import Power

Array = NDArray[np.float64]

MP = mpmath.MPContext()
MP.dps = 30
BOUNDED = (
    "tanh(w)",
    "atan(w)",
    "erf(w)",
    "1 / (1 + w**2)",
    "exp(-w**2)",
    "w / sqrt(1 + w**2)",
    "w / (1 + w**2)",
)
LINEAR = ("log(1 + exp(w))", "w / (1 + exp(-w))", "sqrt(1 + w**2)", "w * (1 + erf(w)) / 2", "w")
TURNING = ("sin(w)", "cos(w)")


@dataclass(frozen=True)
class Draw:
    """An activation, where it bends (points and distances of u), a variance, and how fast φ oscillates in u."""

    phi: ShapedSmooth
    bends: tuple[tuple[float, float], ...]
    variance: float
    turns: float = 0.0

    def __str__(self) -> str:
        smooth = self.phi.activation
        return f"{smooth.formula} a={smooth.a:.3g} x0={smooth.center:.3g} V={self.variance:.3g}"


def draw(rng: np.random.Generator) -> Draw:
    """Half of them named activations, half sums of functions with steepnesses 0.1 … 30 anywhere; V = 1e-8 … 1e8,
    a = 0.1 … 10, centres −3 … 3; where the activation oscillates so little of it that the reference can follow."""
    while True:
        variance, scale = 10 ** rng.uniform(-8, 8), 10 ** rng.uniform(-1, 1)
        center = float(rng.choice([0.0, rng.uniform(-3, 3)]))
        reach = np.sqrt(variance) / scale
        if rng.random() < 0.5:
            text, bends = str(rng.choice(sorted(SMOOTH))), [(0.0, 1.0)]
            turns = 1.0 if text == "sin" else 0.0
        else:
            terms, bends, turns = [], [], 0.0
            for _ in range(rng.integers(1, 4)):
                steep, shift = 10 ** rng.uniform(-1, 1.5), rng.uniform(-3, 3)
                kind = (BOUNDED, LINEAR, TURNING)[rng.choice(3, p=(0.5, 0.3, 0.2))]
                inner = f"({steep:.6g} * (x - {shift:.6g}))"
                weight = rng.uniform(0.2, 2) / (steep if kind is LINEAR else 1)
                terms.append(
                    f"{weight:.6g} * "
                    + str(rng.choice(kind))
                    .replace("exp(", "EXP(")
                    .replace("w", inner)
                    .replace("EXP(", "exp(")
                )
                bends.append((shift, 1 / steep))
                turns = max(turns, steep if kind is TURNING else 0.0)
            text = " + ".join(terms)
        smooth = Smooth.of(text, float(scale), center)
        if turns * reach > 100 or smooth.problem() is not None:
            continue
        phi = shaped(smooth, 1, 0.0)
        assert isinstance(phi, ShapedSmooth)
        return Draw(
            phi,
            tuple((at - center, distance) for at, distance in bends),
            float(variance),
            turns / float(scale),
        )


class Reference:
    """Expectations of one draw in 30 digits, by Gauss–Legendre on intervals that are halved until two rules agree."""

    def __init__(self, drawn: Draw):
        self.drawn = drawn
        smooth = drawn.phi.activation
        functions = {name: getattr(MP, {"abs": "fabs"}.get(name, name)) for name in (*FUNCTIONS, "sign")}
        library, formula = Library(functions, MP.mpf, MP.mpf(MP.pi)), Formula(smooth.formula)
        self.value = lambda x: formula(x, library)
        self.slope = lambda x: formula.derivative(x, library)
        self.center, self.scale = MP.mpf(smooth.center), MP.mpf(smooth.a)
        # φ − φ(x₀) and φ' lose as many digits as φ is flat at its centre
        self.digits = MP.dps + max(0, -int(MP.floor(MP.log10(abs(self.slope(self.center))))))
        with MP.workdps(self.digits):
            self.origin, self.steepness = self.value(self.center), self.slope(self.center)
        self.sigma = MP.sqrt(MP.mpf(drawn.variance))

    def at(self, x: Any) -> tuple[Any, Any, Any]:
        """u, φ_s(u) and φ_s'(u) at u = σ x."""
        u = self.sigma * x
        point = self.center + u / self.scale
        return (
            u,
            self.scale * (self.value(point) - self.origin) / self.steepness,
            self.slope(point) / self.steepness,
        )

    def means(self, functions: list[Power]) -> list[float]:
        """E f."""
        return [float(value) for value in self._means(functions)]

    def norms(self, functions: list[Power]) -> list[float]:
        """√E f²."""
        squares = [Power(2 * f.argument, 2 * f.value, 2 * f.slope) for f in functions]
        return [float(MP.sqrt(value)) for value in self._means(squares)]

    def _means(self, functions: list[Power]) -> list[Any]:
        with MP.workdps(self.digits):
            return self._halved(functions)

    def _halved(self, functions: list[Power]) -> list[Any]:
        ends = {MP.mpf(k) for k in range(-13, 14, 2)}
        for at, distance in self.drawn.bends:
            middle, step = at * self.scale / self.sigma, distance * self.scale / self.sigma
            while step < 3:
                ends |= {middle - step, middle + step}
                step *= 4
        inside = sorted(end for end in ends if abs(end) <= 13)
        todo = list(pairwise(inside))
        total = [MP.mpf(0)] * len(functions)
        first = [self._on(functions, low, high, 16) for low, high in todo]
        norms = [max(abs(each[index]) for each in first) for index in range(len(functions))]
        while todo:
            low, high = todo.pop()
            fine, coarse = (self._on(functions, low, high, nodes) for nodes in (24, 16))
            close = [abs(f - c) <= 1e-13 * norm for f, c, norm in zip(fine, coarse, norms, strict=True)]
            if all(close) or high - low < 1e-20:
                total = [t + f for t, f in zip(total, fine, strict=True)]
            else:
                todo += [(low, (low + high) / 2), ((low + high) / 2, high)]
        return total

    def _on(self, functions: list[Power], low: Any, high: Any, count: int) -> list[Any]:
        total = [MP.mpf(0)] * len(functions)
        for node, weight in _legendre(count):
            x = (low + high) / 2 + (high - low) / 2 * node
            u, value, slope = self.at(x)
            density = weight * (high - low) / 2 * MP.exp(-x * x / 2) / MP.sqrt(2 * MP.pi)
            for index, each in enumerate(functions):
                total[index] += density * u**each.argument * value**each.value * slope**each.slope
        return total


_NODES: dict[int, list[tuple[Any, Any]]] = {}


def _legendre(count: int) -> list[tuple[Any, Any]]:
    if count not in _NODES:
        found = []
        for start in np.polynomial.legendre.leggauss(count)[0]:
            node = MP.findroot(lambda t: MP.legendre(count, t), MP.mpf(float(start)))
            slope = count * (node * MP.legendre(count, node) - MP.legendre(count - 1, node)) / (node**2 - 1)
            found.append((node, 2 / ((1 - node**2) * slope**2)))
        _NODES[count] = found
    return _NODES[count]


def gap(rng: np.random.Generator) -> float:
    """1 − ρ: anywhere, or down to 1e-6 from either end."""
    near = 10 ** rng.uniform(-6, 0)
    return float(rng.choice([rng.uniform(0, 2), near, 2 - near]))


def in_float64(drawn: Draw, variance: float) -> bool:
    """Whether φ(u) and φ'(u) keep digits enough in plain float64 for a reference to 1e-9: a function that has saturated at its
    centre does not.
    """
    reference, x = Reference(drawn), np.linspace(-6.0, 6.0, 49)
    u = float(np.sqrt(variance)) * x
    exact = [reference.at(MP.mpf(float(at)) / reference.sigma) for at in u]
    for plain, true in (
        (drawn.phi(u), [each[1] for each in exact]),
        (drawn.phi.slope(u), [each[2] for each in exact]),
    ):
        off = max(abs(MP.mpf(float(p)) - t) for p, t in zip(plain, true, strict=True))
        norm = sum(MP.exp(-(float(at) ** 2) / 2) * t**2 for at, t in zip(x, true, strict=True)) / 10
        if off > 1e-11 * MP.sqrt(norm):
            return False
    return True


def brute_force(
    drawn: Draw, first: float, second: float, apart: float, pairs: list[tuple[Power, Power]]
) -> list[float]:
    """E f(u) g(v) for each pair, and last 1 − ρ' of φ(u) and φ(v), by panels of 20 nodes much finer than is needed,
    v for each u."""
    rho, spread = 1 - apart, float(np.sqrt(apart * (2 - apart)))
    one, two, scale = np.sqrt(first), np.sqrt(second), float(drawn.phi.scale)
    nodes, weights = np.polynomial.legendre.leggauss(20)

    def steps(width: float, sigma: float) -> Array:
        # some six nodes to a turn at least
        width = min(width, 10 / max(drawn.turns * sigma, 1e-9))
        return np.linspace(-10, 10, int(np.ceil(20 / width)) + 1)

    def panels(ends: Array) -> tuple[Array, Array]:
        ends = np.unique(ends)
        middle, half = (ends[1:] + ends[:-1])[:, None] / 2, (ends[1:] - ends[:-1])[:, None] / 2
        x = (middle + half * nodes).ravel()
        return x, (half * weights).ravel() * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)

    def around(middle: float, step: float) -> Array:
        away = min(step, 4.0) * 2.0 ** np.arange(0, 60)
        away = away[away < 20]
        return np.concatenate([middle - away, [middle], middle + away])

    ends = [steps(0.5, max(one, two))]
    for at, distance in drawn.bends:
        finest = distance * scale / 2
        ends.append(around(at * scale / one, min(finest / one, spread / 2)))
        if abs(rho) > 0.1:
            ends.append(around(at * scale / (two * rho), min(finest / abs(two * rho), spread / 2)))
    x, outer = panels(np.clip(np.concatenate(ends), -10, 10))
    u = one * x
    value, slope = drawn.phi(u), drawn.phi.slope(u)
    firsts = [f(u, value, slope) for f, _ in pairs]
    ends = [steps(0.5, two)]
    ends += [around(at * scale / two, distance * scale / 2 / two) for at, distance in drawn.bends]
    y, alone = panels(np.clip(np.concatenate(ends), -10, 10))
    norms = float(np.sqrt(outer @ value**2)), float(np.sqrt(alone @ drawn.phi(two * y) ** 2))
    totals = np.zeros(len(pairs) + 1)
    for index, at in enumerate(x):
        ends = [steps(1.0, two * spread)]
        for point, distance in drawn.bends:
            middle = (point * scale / two - rho * at) / spread
            ends.append(around(middle, distance * scale / 2 / (two * spread)))
        xi, inner = panels(np.clip(np.concatenate(ends), -10, 10))
        v = two * (rho * at + spread * xi)
        other, tilt = drawn.phi(v), drawn.phi.slope(v)
        for place, (_, g) in enumerate(pairs):
            totals[place] += outer[index] * firsts[place][index] * (inner @ g(v, other, tilt))
        totals[-1] += outer[index] * (inner @ (other / norms[1] - value[index] / norms[0]) ** 2) / 2
    return totals.tolist()
