"""Numbers of many digits: mpmath, made safe for threads.

A context of mpmath keeps its precision in one place for the whole process, and its functions raise and
restore it as they go. Two threads that differentiate at once then leave each other too few digits, in
silence: a slope comes out as 0. Here every thread has a precision of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import mpmath
from mpmath.libmp import dps_to_prec, e_fixed, ln2_fixed, pi_fixed, round_nearest

DIGITS = 50
"""Decimal digits in which constants are computed before they are rounded once."""
_ENOUGH = {pi_fixed: 8192, ln2_fixed: 2048, e_fixed: 2048}
"""Bits of π, ln 2 and e: as many as the range reduction of the largest argument that is asked for, 2^4096 of
a sine, takes at any precision used here.
"""


class _Precision(threading.local):
    """Bits, rounding and decimal digits of one thread; the first two in the form that mpmath unpacks."""

    def __init__(self, digits: int) -> None:
        self.pair: list[Any] = [dps_to_prec(digits), round_nearest]
        self.digits = digits

    def __iter__(self) -> Iterator[Any]:
        return iter(self.pair)

    def __getitem__(self, index: int) -> Any:
        return self.pair[index]

    def __setitem__(self, index: int, value: Any) -> None:
        self.pair[index] = value


class ThreadedContext(mpmath.MPContext):  # type: ignore[misc]
    """A context of mpmath whose precision belongs to each thread; a new thread begins with ``digits``."""

    def __init__(self, digits: int) -> None:
        self._precision = _Precision(digits)
        super().__init__()
        self._prec_rounding = self._precision
        for kind in (self.mpf, self.mpc, self.constant):
            kind._ctxdata[2] = self._precision  # noqa: SLF001 -- where numbers of mpmath look
        # from here on no thread replaces what another reads: every call takes some of these bits
        for constant, bits in _ENOUGH.items():
            constant(bits)
        self.dps = digits

    @property
    def _prec(self) -> int:
        return int(self._precision.pair[0])

    @_prec.setter
    def _prec(self, bits: int) -> None:
        self._precision.pair[0] = bits

    @property
    def _dps(self) -> int:
        return self._precision.digits

    @_dps.setter
    def _dps(self, digits: int) -> None:
        self._precision.digits = digits


EXACT = ThreadedContext(DIGITS)
"""The context of every constant that reaches an engine."""
