"""Integrands of a contour where units may lack a, b or both: what has no density is left out."""

from __future__ import annotations

from typing import Any

from deeplimits.engines.contract.arithmetic import part
from deeplimits.engines.contract.shape import LANES


@part
def differences(least: Any, units: Any, silent: Any, rows: Any) -> None:
    """Rows 7 and 8: (M^{n−1} D − R^{n−1} D_R − J^{n−1} (D − D_R)) / ``least``^{n−1}, where J = ``silent`` is
    what units without a and b make of M, R what those make that lack one of them at least: without the
    rounding of what is left out.

    With S_m(A, B) = Σ A^j B^{m−1−j} it is (D − D_R) (M − J) S_{n−1}(M, J) + D_R (M − R) S_{n−1}(M, R).
    """
    bit = 1
    while 2 * bit <= units - 1:
        bit = 2 * bit
    dead = silent / least
    for lane in range(LANES):
        whole = complex(rows[1, lane] / least, rows[2, lane] / least)
        both = complex(rows[11, lane] / least, rows[12, lane] / least)
        one = complex(rows[13, lane] / least, rows[14, lane] / least)
        lacking = one + dead
        power, of_lacking, of_dead = whole, lacking, dead
        to_lacking, to_dead = complex(1.0, 0.0), complex(1.0, 0.0)
        left = bit >> 1
        while left > 0:
            to_lacking, to_dead = to_lacking * (power + of_lacking), to_dead * (power + of_dead)
            power, of_lacking, of_dead = power * power, of_lacking * of_lacking, of_dead * of_dead
            if (units - 1) & left != 0:
                to_lacking, to_dead = whole * to_lacking + of_lacking, whole * to_dead + of_dead
                power, of_lacking, of_dead = power * whole, of_lacking * lacking, of_dead * dead
            left = left >> 1
        found = complex(rows[15, lane], rows[16, lane]) * (both + one) * to_dead
        found = found + complex(rows[17, lane], rows[18, lane]) * both * to_lacking
        rows[7, lane], rows[8, lane] = found.real, found.imag
