"""The exponential of float64 numbers in the operations of the number contract."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplimits.engines.contract.arithmetic import fma, inline


@inline
def exponential(x: Any) -> Any:
    """e^x in float64, to 1e-15 for |x| ≤ 60 and cut there: 2^k times a Taylor polynomial."""
    x = min(max(x, -60.0), 60.0)
    turns = np.int64(x * 1.4426950408889634 + (0.5 if x >= 0.0 else -0.5))
    r = fma(np.float64(-turns), 1.9082149292705877e-10, fma(np.float64(-turns), 0.6931471803691238, x))
    value = fma(1.6059043836821613e-10, r, 2.08767569878681e-09)
    value = fma(value, r, 2.505210838544172e-08)
    value = fma(value, r, 2.755731922398589e-07)
    value = fma(value, r, 2.7557319223985893e-06)
    value = fma(value, r, 2.48015873015873e-05)
    value = fma(value, r, 0.0001984126984126984)
    value = fma(value, r, 0.001388888888888889)
    value = fma(value, r, 0.008333333333333333)
    value = fma(value, r, 0.041666666666666664)
    value = fma(value, r, 0.16666666666666666)
    value = fma(value, r, 0.5)
    value = fma(value, r, 1.0)
    value = fma(value, r, 1.0)
    factor = 2.0 if turns > 0 else 0.5
    for _ in range(abs(turns)):
        value = value * factor
    return value
