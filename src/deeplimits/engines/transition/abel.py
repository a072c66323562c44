"""The density of ρ' from its Abel transform h (``kernels``), at places that lie as a sinh about the middle of
a law.
"""

from __future__ import annotations

import math
from typing import Any

from deeplimits.engines.contract.arithmetic import inline, kernel, square_root
from deeplimits.engines.transition.kernels import hyperbolic


@inline
def _risen(beyond: Any, z: Any, least: Any, smoothing: Any) -> Any:
    """How far softplus has risen to ``z`` from ``beyond`` below it, where it was ``least``."""
    if smoothing == 0.0:
        return beyond
    turn = beyond / smoothing
    if turn > 30.0:
        return max(z, 0.0) + smoothing * math.log(1.0 + math.exp(-abs(z) / smoothing)) - least
    grown = 2.0 * math.exp(0.5 * turn) * hyperbolic(0.5 * turn)[0]
    # 1 − e^{−least / smoothing}
    slope = 2.0 * math.exp(-0.5 * least / smoothing) * hyperbolic(0.5 * least / smoothing)[0]
    more = grown * slope
    up = 1.0 + more
    return smoothing * (more if up == 1.0 else math.log(up) * (more / (up - 1.0)))


@kernel
def inverted(
    low: Any, high: Any, middle: Any, scale: Any, smoothing: Any, end: Any, slope: Any, points: Any,
    weights: Any, starts: Any, nodes: Any, out: Any,
) -> None:  # fmt: skip
    """Fill ``out`` [node] with the density of y' at ``nodes`` [node]: the Abel transform
    −(2/π) ∫ h'(x) dx / √(x² − r²), times dr/dy. Places: y = softplus(z), z = ``middle`` + ``scale`` sinh w.

    Parameters
    ----------
    low, high
        Where w begins and ends.
    smoothing
        Length over which softplus bends; 0 where y = z.
    end
        h from there on.
    slope
        Chebyshev coefficients of dh/dw [power].
    points, weights
        Gauss' rule on [0, 1].
    starts
        w of the nodes [node].
    """
    for node in range(len(nodes)):
        at, start = nodes[node], starts[node]
        sinh_r, cosh_r = hyperbolic(at)
        total = 0.0
        for point in range(len(points)):
            s = points[point]
            beyond = (high - start) * s * s
            risen = 2.0 * scale * hyperbolic(start + 0.5 * beyond)[1] * hyperbolic(0.5 * beyond)[0]
            z = middle + scale * hyperbolic(start + beyond)[0]
            risen = _risen(risen, z, at, smoothing)
            sinh_x, cosh_x = hyperbolic(at + risen)
            far = hyperbolic(risen)[0] / (cosh_x * cosh_r)
            far = far * (sinh_x / cosh_x + sinh_r / cosh_r)
            t = 2.0 * (start + beyond - low) / (high - low) - 1.0
            last, value = 0.0, 0.0
            for power in range(len(slope) - 1, 0, -1):
                last, value = value, slope[power] + 2.0 * t * value - last
            value = slope[0] + t * value - last
            total += weights[point] * s * value / square_root(far)
        total = end / cosh_r - 2.0 * (high - start) * total / (cosh_r * cosh_r)
        out[node] = 2.0 / math.pi * total
