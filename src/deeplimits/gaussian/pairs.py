"""Expectations of two functions of correlated Gaussian variables, E f(u) g(v), and 1 − ρ of their images.

Mehler's formula, E f(u) g(v) = Σ_k ρ^k a_k b_k with a_k and b_k the coefficients of f(√V g) and g(√V' g) in
normalised Hermite polynomials, is cut at an error of at most |ρ|^K √(E f² E g²). Every term of 1 − ρ' =
½ Σ (a_k − b_k)² + Σ (1 − ρ^k) a_k b_k, for norms 1, has full relative precision, so that it serves up to
ρ = 1 where the coefficients fall off. Where they do not and ρ is near 1, v is integrated for each u over
panels in which φ is resolved. A correlation below 0 is that of u and −v.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array
from deeplimits.gaussian.curves import Curve
from deeplimits.gaussian.effort import spend
from deeplimits.gaussian.powers import SLOPE, VALUE, Line, Power
from deeplimits.gaussian.rule import NODES, Rule, build, legendre
from deeplimits.gaussian.unreachable import Unreachable

_CUT = 1e-12
"""ρ^K at which Mehler's series is cut."""
_COARSE, _FINE = 256, 1024
"""Coefficients that panels of width 1 and of width ½ resolve."""
_FINEST = 8192
"""Coefficients that are found where φ oscillates."""
_CONVERGED = 1e-11
"""Part of a norm beyond the last coefficient that does not count, whatever ρ is."""
_POINTS = 1 << 18
"""Points of the inner integral at a time."""
_MOST_POINTS = 4e8
"""Of it in all."""
_COSTLY = 2e7
"""Points with which as many as ``_FINEST`` coefficients are cheaper."""
_CHEAPER = 8
"""How many of these points cost as much as one of a rule that is built."""
_SHARP = 1e-12
"""√(1 − ρ²) below which nothing is smoothed."""
_CANCELS = 1e-9
"""1 − ρ' below which φ(v) − φ(u) is an integral of φ'."""
_STRAIGHT = 0.25
"""Part of a panel over which a difference of φ is an integral of φ'."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Standard deviations and 1 − ρ of u and v after a reflection that makes ρ positive: v = ``sign`` v'."""

    first: float
    second: float
    gap: float
    sign: int

    @classmethod
    def of(cls, first: float, second: float, gap: float) -> Pair:
        """The pair of these variances and this 1 − ρ, between 0 and 2."""
        roots = float(np.sqrt(first)), float(np.sqrt(second))
        return cls(*roots, gap, 1) if gap <= 1 else cls(*roots, 2 - gap, -1)

    @property
    def spread(self) -> float:
        """√(1 − ρ²)."""
        return float(np.sqrt(self.gap * (2 - self.gap)))


rule = lru_cache(maxsize=64)(build)
"""``build``, kept for the next that asks."""


def _beyond(functions: Sequence[Power]) -> tuple[Power, ...]:
    """What a rule has to be built for beside φ and φ'."""
    return tuple(dict.fromkeys(each for each in functions if each not in (VALUE, SLOPE)))


def needed(gap: float) -> float:
    """Coefficients after which ρ^K is nothing."""
    if gap >= 1:
        return 1.0
    return float(np.ceil(np.log(_CUT) / np.log1p(-gap))) + 1 if gap > 0 else np.inf


@dataclass(frozen=True, eq=False)
class Series:
    """Coefficients of functions of u and of v, [function, k], and norms √E f², [function]."""

    first: Array
    second: Array
    first_norms: Array
    second_norms: Array
    cut: bool
    """Whether ρ^K ends the series; where it does not, the coefficients have fallen off."""

    def powers(self, gap: float) -> Array:
        """ρ^k."""
        k = np.arange(self.first.shape[1])
        return np.where(k == 0, 1.0, np.exp(k * np.log1p(-gap))) if gap < 1 else (k == 0).astype(float)


def series(
    curve: Curve, pair: Pair, firsts: Sequence[Power], seconds: Sequence[Power], *, relative: bool = False
) -> Series | None:
    """Mehler's coefficients, or None where there would be too many; with ``relative`` so many of φ's that 1 −
    ρ' has relative precision near ρ = 1.
    """
    wanted = needed(pair.gap)
    functions = _beyond((*firsts, *seconds))

    def found(count: int, width: float, *, cut: bool) -> Series:
        rules = [rule(curve, (Line(sigma),), functions, width) for sigma in (pair.first, pair.second)]
        alternating = np.where(np.arange(count) % 2, float(pair.sign), 1.0)
        norms = [
            np.sqrt([each.weights @ each.of(f) ** 2 for f in chosen])
            for each, chosen in zip(rules, (firsts, seconds), strict=True)
        ]
        spend(count * sum(len(each.x) for each in rules) / _CHEAPER)
        modes = rules[0].modes(firsts, count), rules[1].modes(seconds, count) * alternating
        return Series(*modes, norms[0], norms[1], cut)

    if wanted <= _COARSE:
        return found(int(wanted), 1.0, cut=True)
    short = found(_COARSE, 1.0, cut=False)
    if _fallen(curve, pair, short, relative=relative):
        return short
    if wanted <= _FINE:
        return found(int(wanted), 0.5, cut=True)
    panels = [len(rule(curve, (Line(sigma),), functions).breaks) for sigma in (pair.first, pair.second)]
    if wanted <= _FINEST and NODES**2 * panels[0] * (12 + panels[1] * pair.spread) > _COSTLY:
        return found(int(wanted), 0.5 * float(np.sqrt(_FINE / wanted)), cut=True)
    return None


def _fallen(curve: Curve, pair: Pair, found: Series, *, relative: bool) -> bool:
    """Whether what the coefficients leave of the norms is nothing."""
    if relative:
        k = np.arange(found.first.shape[1])
        for sigma, modes in ((pair.first, found.first[0]), (pair.second, found.second[0])):
            whole = sigma**2 * rule(curve, (Line(sigma),), ()).expectation(Power(slope=2))
            if abs(whole - float(k @ modes**2)) > _CONVERGED * whole:
                return False
        return True
    rest = [
        np.abs(1 - (modes**2).sum(axis=1) / np.maximum(norms, 1e-300) ** 2)
        for modes, norms in ((found.first, found.first_norms), (found.second, found.second_norms))
    ]
    return bool(np.sqrt(rest[0].max() * rest[1].max()) <= _CONVERGED)


Integrand = Callable[[tuple[Array, Array, Array], tuple[Array, Array, Array], Array], Array]
"""From (u, φ(u), φ'(u)), (v, φ(v), φ'(v)) and φ(v) − φ(u), or −φ(v) − φ(u) after a reflection."""


def conditional(
    curve: Curve, pair: Pair, functions: Sequence[Power], integrands: Sequence[Integrand]
) -> list[float]:
    """E of each integrand, v integrated for each u.

    Raises
    ------
    Unreachable
        If there are too many panels.
    """
    slopes = any(each.slope for each in functions)
    functions = _beyond(functions)
    sigma = pair.sign * pair.second
    # a power of two: neighbouring correlations share the rule
    blur = float(2.0 ** np.floor(np.log2(pair.spread))) if pair.spread > _SHARP else np.inf
    outer = rule(curve, (Line(pair.first), Line((1 - pair.gap) * sigma)), functions, 1.0, blur)
    inner = rule(curve, (Line(sigma),), functions)
    norms = [float(np.sqrt(inner.expectation(each))) for each in (Power(value=2), Power(slope=2))]
    # 1 − ρ' is at most so many times 1 − ρ
    gain = (pair.second * norms[1] / norms[0]) ** 2
    chosen = np.flatnonzero((outer.weights > 1e-300) & (np.abs(outer.x) <= -inner.breaks[0]))
    points = NODES * (12 + len(inner.breaks) * min(1.0, pair.spread))
    if len(chosen) * points > _MOST_POINTS:
        raise Unreachable("the activation bends too often for two inputs of nearly equal direction")
    spend(len(chosen) * points / _CHEAPER)
    totals, step = np.zeros(len(integrands)), max(8, int(_POINTS / points))
    for start in range(0, len(chosen), step):
        part = chosen[start : start + step]
        totals += _part(curve, pair, outer, inner, part, norms, gain, integrands, slopes=slopes)
    return [float(value) for value in totals]


def _part(
    curve: Curve,
    pair: Pair,
    outer: Rule,
    inner: Rule,
    chosen: NDArray[np.intp],
    norms: list[float],
    gain: float,
    integrands: Sequence[Integrand],
    *,
    slopes: bool,
) -> Array:
    x = outer.x[chosen]
    owner, xi, weights = _inner_nodes(x, pair, inner)
    u = pair.first * x[owner]
    # v' − u without cancellation, for σ' = σ exactly so
    change = ((pair.second - pair.first) - pair.second * pair.gap) * x[owner] + pair.second * pair.spread * xi
    v = pair.sign * (u + change)
    value = checked(curve, v, v / pair.second, norms, 0)
    slope = checked(curve, v, v / pair.second, norms, 1) if slopes else value
    here, tilt = outer.values[0][chosen][owner], outer.slopes[0][chosen][owner]
    difference = pair.sign * value - here
    if pair.sign > 0 and pair.gap * gain < _CANCELS:
        low, high = outer.breaks[outer.panels[chosen]][owner], outer.breaks[outer.panels[chosen] + 1][owner]
        near = np.abs(change) <= _STRAIGHT * (high - low) * pair.first
        # not across an end of a panel, where φ may have a corner
        near &= (u + change > low * pair.first) & (u + change < high * pair.first)
        if near.any():
            difference[near] = change[near] * _mean_slope(curve, u[near], change[near], norms, pair.first)
    weights = weights * outer.weights[chosen][owner]
    first, second = (u, here, tilt), (v, value, slope)
    return np.array([float(np.sum(weights * each(first, second, difference))) for each in integrands])


def _mean_slope(curve: Curve, u: Array, change: Array, norms: list[float], sigma: float) -> Array:
    """∫₀¹ φ'(u + s Δ) ds."""
    nodes, weights = np.polynomial.legendre.leggauss(5)
    total = np.zeros_like(u)
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        at = u + node * change
        total += weight * checked(curve, at, at / sigma, norms, 1)
    return total


def checked(curve: Curve, u: Array, x: Array, norms: list[float], order: int) -> Array:
    """φ(u) or φ'(u), in 50 digits where float64 may err by more than a little of the norm."""
    (held,) = curve.evaluate(u, (order,))
    with np.errstate(over="ignore", invalid="ignore"):
        good = held.error * np.exp(-(x**2) / 4) <= 2e-11 * norms[order]
        good |= held.error <= 1e-13 * np.abs(held.value)
    bad = ~(good & np.isfinite(held.value))
    if bad.any():
        held.value[bad] = curve.exactly(u[bad], order)
    return np.asarray(held.value)


def _inner_nodes(x: Array, pair: Pair, inner: Rule) -> tuple[NDArray[np.intp], Array, Array]:
    """Nodes ξ of the integral over v' = σ' (ρ x + √(1 − ρ²) ξ) for each x: owners, ξ and weights, flat."""
    if pair.gap == 0:
        return np.arange(len(x)), np.zeros(len(x)), np.ones(len(x))
    middle, spread = (1 - pair.gap) * x, pair.spread
    # breaks of the inner rule lie in x of σ' sign: those of −v are mirrored by its line already
    breaks = inner.breaks
    reach = -breaks[0] - 0.5
    low, high = (
        np.searchsorted(breaks, middle - reach * spread),
        np.searchsorted(breaks, middle + reach * spread),
    )
    counts = high - low
    plain = np.flatnonzero(counts == 0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(24) if len(plain) else (np.empty(0), np.empty(0))
    owners = [np.repeat(plain, len(nodes))]
    all_xi, all_weights = [np.tile(nodes, len(plain))], [np.tile(weights / np.sqrt(2 * np.pi), len(plain))]
    cut = np.flatnonzero(counts)
    if len(cut):
        grid = np.linspace(-reach, reach, 2 * int(np.ceil(reach / 1.8)) + 1)
        inside = np.repeat(cut, counts[cut])
        place = np.arange(len(inside)) - np.repeat(np.cumsum(counts[cut]) - counts[cut], counts[cut])
        own = (breaks[low[inside] + place] - middle[inside]) / spread
        ends = np.concatenate([np.tile(grid, len(cut)), own])
        of = np.concatenate([np.repeat(cut, len(grid)), inside])
        order = np.lexsort((ends, of))
        ends, of = ends[order], of[order]
        panel = (of[1:] == of[:-1]) & (ends[1:] > ends[:-1])
        start, end, of = ends[:-1][panel], ends[1:][panel], of[:-1][panel]
        points, gauss, _ = legendre()
        xi = (start + end)[:, None] / 2 + (end - start)[:, None] / 2 * points
        density = np.exp(-(xi**2) / 2) / np.sqrt(2 * np.pi)
        owners.append(np.repeat(of, NODES))
        all_xi.append(xi.ravel())
        all_weights.append((density * gauss * (end - start)[:, None] / 2).ravel())
    return np.concatenate(owners), np.concatenate(all_xi), np.concatenate(all_weights)
