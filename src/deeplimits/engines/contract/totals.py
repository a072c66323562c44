"""Totals over the lanes of a layer, and scales beside exact powers of two, out of reach of overflow."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import bits_float, f4, float_bits, i4, inline
from deeplimits.engines.contract.shape import LANES

NAN = np.float32(np.nan)
"""One spelling of NaN (0x7FC00000): the sign of a computed NaN differs between processors."""
DEAD = np.float32(-np.inf)


@inline
def rescale(mantissa: Any, exponent: Any, factor: Any) -> Any:
    """(mantissa · factor) · 2^exponent with its mantissa brought back into [1, 2); zero stays zero."""
    product = mantissa * factor
    bits = float_bits(product)
    shift = i4((bits >> i4(23)) - i4(127))
    if product == f4(0):
        return f4(0), i4(0)
    return bits_float(i4(bits - i4(shift << i4(23)))), i4(exponent + shift)


@inline
def tree(lanes: Any) -> Any:
    """Sum of 16 lanes: lane i takes lane i + 8, then i + 4, i + 2, i + 1."""
    width = LANES // 2
    while width > 0:
        for lane in range(width):
            lanes[lane] = lanes[lane] + lanes[lane + width]
        width //= 2
    return lanes[0]
