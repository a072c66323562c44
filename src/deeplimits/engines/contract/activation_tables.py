"""Smooth activations as tables: ψ(u) = φ(u) / u in cubic pieces, so that one kernel serves every φ.

A piece is found from the bits of |u|: every octave from 2^-5 on is cut into 2^k equal cells, one more cell
holds all below, and one more all above, in the variable 1 / |u|, where φ approaches a line. φ = u ψ(u) then
has a small *relative* error near 0, where a shaped network lives. Pieces are cubic interpolants at Chebyshev
nodes, in 50 digits, rounded once; k is the smallest that the function allows.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

import mpmath
import numpy as np
from numpy.typing import NDArray

from deeplimits.activations import Smooth
from deeplimits.digits import EXACT
from deeplimits.engines.compile.cache import cache_folder, made_once

_Psi = Callable[[mpmath.mpf], mpmath.mpf]
_Powers = NDArray[np.float64]

LOWEST = -5
"""Exponent of the end of the first cell."""
_HIGHEST = 6
"""Exponent where the tail begins, for functions that approach a line to each side."""
_WITHOUT_TAIL = (10, 4)
"""Exponents where tables of other functions end, tried in turn."""
_CELLS = (5, 6, 7)
"""Cells of an octave, as powers of two, tried in turn."""
_ERROR = 2e-8
"""Largest error of a piece before rounding, relative to max(|ψ|, ``_SMALL``)."""
_SMALL = 2.0**-5
_INFINITY = 2.0**60
"""Where the slope of the tail is taken."""
_LARGEST = 1e4
"""ψ may not exceed this: beyond it the centre is not one."""
_PROBES = 24
"""Pieces that are looked at before all are made."""
LARGEST_NORMAL = 6.8
"""No normal of the number contract is larger."""


MADE_BY = ("activations/*.py", "digits.py", "engines/contract/*_table*.py", "formula*.py")
"""Files of this package that make tables: one that is kept is believed only while these have not changed."""


class NoTable(ValueError):
    """An activation that no table can hold; the text says what would have been one."""


class _TooCoarse(NoTable):
    """A table that is not fine or not long enough; ``at`` is the sign and a size of u where one failed."""

    at: tuple[int, mpmath.mpf] | None = None


@dataclass(frozen=True)
class Table:
    """ψ in cubic pieces.

    Parameters
    ----------
    coefficients
        [piece, power], lowest first, float32: pieces of u ≥ 0, then as many of u < 0.
    bits
        k.
    highest
        Exponent of the end of the last octave.
    limit
        Largest |u| that may be asked for; infinite where there is a tail.
    bound
        Largest |φ(u)| up to there.
    """

    coefficients: NDArray[np.float32]
    bits: int
    highest: int
    limit: float
    bound: float

    def holds(self, start: float, gain: float, *, added: bool = False) -> bool:
        """Whether no |u| beyond the table can occur: where √V / s is ``start`` at the input and at most
        ``gain`` times the largest |φ| after a layer; or, where ``added``, grows by at most so much in all.
        """
        if math.isinf(self.limit):
            return True
        after = gain * self.bound
        return LARGEST_NORMAL * (start + after if added else max(start, after)) <= self.limit

    def __call__(self, u: NDArray[np.float32]) -> NDArray[np.float32]:
        """ψ(u) as the kernels have it, but for the rounding of their fused multiply-adds."""
        size = np.abs(u)
        held = np.maximum(size, np.float32(2.0**LOWEST)).view(np.int32)
        shift = 23 - self.bits
        half = len(self.coefficients) // 2
        cell = np.minimum((held >> shift) - ((127 + LOWEST) << self.bits), half - 1)
        edge = ((held >> shift) << shift).view(np.float32)
        with np.errstate(divide="ignore"):
            t = np.where(size < np.float32(2.0**self.highest), size - edge, np.float32(1) / size)
        c = self.coefficients[cell + np.where(u < 0, half, 0)].astype(float).T
        return np.asarray(((c[3] * t + c[2]) * t + c[1]) * t + c[0], np.float32)


@lru_cache(maxsize=64)
def table(activation: Smooth) -> Table:
    """The table of φ, from disk where it is kept.

    Raises
    ------
    NoTable
        If φ is not smooth, grows faster than a line, or is too steep.
    """
    activation = Smooth(activation.formula, 1.0, activation.center)

    def numbers() -> NDArray[np.float32]:
        made = _made(activation)
        head = np.array([made.bits, made.highest, made.limit, made.bound], np.float32)
        return np.concatenate([head, made.coefficients.ravel()])

    read = kept(f"{activation.formula} {activation.center.hex()}", numbers)
    bits, highest, limit, bound = (float(value) for value in read[:4])
    return Table(read[4:].reshape(-1, 4), int(bits), int(highest), limit, bound)


def kept(name: str, made: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
    """The numbers of a table, from disk where they are kept whole, else made and kept."""
    described = f"{_digest()} {name}"
    path = cache_folder() / f"table-{hashlib.sha256(described.encode()).hexdigest()[:32]}.npy"
    return np.frombuffer(made_once(path, lambda: made().tobytes()), np.float32)


@cache
def _digest() -> str:
    """Of the sources that tables depend on, and of mpmath."""
    package, digest = Path(__file__).parent.parent.parent, hashlib.sha256(mpmath.__version__.encode())
    files = (file for pattern in MADE_BY for file in sorted(package.glob(pattern)))
    for file in files:
        digest.update(f"\0{file.relative_to(package)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _made(activation: Smooth) -> Table:
    problem: _TooCoarse | None = None
    failed: tuple[int, mpmath.mpf] | None = None
    for highest, tail in [(_HIGHEST, True), *((highest, False) for highest in _WITHOUT_TAIL)]:
        for bits in _CELLS:
            try:
                return _pieces(activation, bits, highest, tail=tail, first=failed)
            except _TooCoarse as error:
                problem, failed = error, error.at
    assert problem is not None
    raise problem


def _pieces(
    activation: Smooth, bits: int, highest: int, *, tail: bool, first: tuple[int, mpmath.mpf] | None
) -> Table:
    """Pieces of one size; ``first``, where a piece of another size failed, and what is near are looked at
    before all others.
    """
    cells = [(EXACT.mpf(0), _edge(1, bits))]
    cells += [(_edge(i, bits), _edge(i + 1, bits)) for i in range(1, (highest - LOWEST) << bits)]
    origin = EXACT.mpf(2) ** LOWEST
    psi = {sign: partial(_psi, activation, sign) for sign in (1, -1)}

    @cache
    def piece(sign: int, low: mpmath.mpf, high: mpmath.mpf) -> _Powers:
        try:
            return _piece(psi[sign], low, high, max(low, origin))
        except _TooCoarse as error:
            error.at = sign, (low + high) / 2
            raise

    if first is not None:
        # what is too coarse there is so nearby when halved
        sign, at = first
        near = [each for each in cells if at / 2 <= each[1] and each[0] <= 2 * at]
        for low, high in sorted(near, key=lambda each: abs(each[0] + each[1] - 2 * at)):
            piece(sign, low, high)
    ends = [np.full(4, np.nan)] * 2
    if tail:
        ends = [_tail(side, EXACT.mpf(2) ** -highest) for side in psi.values()]
    for sign in psi:
        for low, high in cells[:: len(cells) // _PROBES]:
            piece(sign, low, high)
    pieces = [
        [*(piece(sign, low, high) for low, high in cells), end] for sign, end in zip(psi, ends, strict=True)
    ]
    bound = max(float(abs(high * side(high))) for side in psi.values() for _, high in cells)
    coefficients = np.array(pieces[0] + pieces[1], np.float32)
    limits = (np.inf, np.inf) if tail else (2.0**highest, bound)
    return Table(coefficients, bits, highest, *limits)


def _edge(index: int, bits: int) -> mpmath.mpf:
    octave, cell = divmod(index, 1 << bits)
    return EXACT.mpf(2) ** (LOWEST + octave) * (1 + EXACT.mpf(cell) / (1 << bits))


def _psi(activation: Smooth, sign: int, size: mpmath.mpf) -> mpmath.mpf:
    """ψ(± size)."""
    if size == 0:
        return EXACT.mpf(1)
    try:
        value = activation(sign * size) / (sign * size)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise NoTable("a function that is finite on the whole line") from error
    if not isinstance(value, EXACT.mpf) or not EXACT.isfinite(value):
        raise NoTable("a function that is finite and real on the whole line")
    if abs(value) > _LARGEST:
        raise NoTable(
            f"a function and a centre with |φ(u)| ≤ {_LARGEST:g} |u|, where φ is the function centred and "
            "divided by its slope there: it may grow no faster than a line"
        )
    return value


def _piece(psi: _Psi, low: mpmath.mpf, high: mpmath.mpf, origin: mpmath.mpf) -> _Powers:
    """Powers of t = |u| − origin of the cubic through the four Chebyshev nodes of [low, high]."""
    middle, half = (low + high) / 2, (high - low) / 2
    nodes = [middle + half * EXACT.cos(EXACT.pi * (2 * i + 1) / 8) for i in range(4)]
    powers = through([node - origin for node in nodes], [psi(node) for node in nodes])
    for at in (low, middle, high):
        value = psi(at)
        _check(powers, at - origin, value, max(abs(value), _SMALL))
    return np.array([float(power) for power in powers])


def _tail(psi: _Psi, end: mpmath.mpf) -> _Powers:
    """Powers of v = 1 / |u| of the cubic through ψ at infinity and three Chebyshev nodes of [0, end]."""
    slope = psi(EXACT.mpf(_INFINITY))
    if abs(slope) < 1e-12:
        slope = EXACT.mpf(0)
    nodes = [end * (1 + EXACT.cos(EXACT.pi * (2 * i + 1) / 6)) / 2 for i in range(3)]
    powers = [slope, *through(nodes, [(psi(1 / node) - slope) / node for node in nodes])]
    for part in (1.0, 0.7, 0.4, 0.15, 1e-2, 1e-4):
        value = psi(1 / (end * part))
        # φ to a relative error, but for what an exponentially small φ keeps
        _check(powers, end * part, value, max(abs(value), end * part / 1000))
    return np.array([float(power) for power in powers])


def through(nodes: list[mpmath.mpf], values: list[mpmath.mpf]) -> list[mpmath.mpf]:
    """Powers of the polynomial through the values at the nodes, by Newton's divided differences."""
    size = len(nodes)
    differences = list(values)
    for order in range(1, size):
        for i in range(size - 1, order - 1, -1):
            differences[i] = (differences[i] - differences[i - 1]) / (nodes[i] - nodes[i - order])
    powers = [EXACT.mpf(0)] * size
    for i in range(size - 1, -1, -1):
        shifted = [EXACT.mpf(0), *powers[:-1]]
        powers = [above - nodes[i] * power for above, power in zip(shifted, powers, strict=True)]
        powers[0] += differences[i]
    return powers


def _check(powers: list[mpmath.mpf], at: mpmath.mpf, value: mpmath.mpf, scale: mpmath.mpf) -> None:
    found = ((powers[3] * at + powers[2]) * at + powers[1]) * at + powers[0]
    if abs(found - value) > _ERROR * scale:
        raise _TooCoarse(
            "a function that is smooth on the whole line, and approaches a line to each side or is bounded"
        )
