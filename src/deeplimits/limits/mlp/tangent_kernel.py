"""How much the tangent kernel of a finite ReLU-like perceptron fluctuates: its second moment, exact at every
width.

K = ‖∂z_out/∂θ‖² = Σ_ℓ V_ℓ G_{ℓ+1}, ℓ = 0 … d, with V_ℓ the squared norm that goes into a matrix of weights
and G_{ℓ+1} = ‖∂z_out/∂z_{ℓ+1}‖² that comes back to it, G_{d+1} = 1 at the output. E K = (d + 1) V_0. Let v =
Var(c φ(g)²), 5 for ReLU and 2 for a linear network. Of two terms k layers apart the d − k layers outside both
multiply the mean product by 1 + v/n each, as V's second moment; the k between, of which one term has the
gradient and the other the norm, by u_k:

    u_{k+1} = (1 − 1/n) u_k + (v + 1)/(3n) (1 + v/n)^k,  u_0 = 1,
    u_k = [(1 + v/n)^k + 2 (1 − 1/n)^k] / 3.
"""

from __future__ import annotations

import numpy as np


def second_moment(units: int, depth: int, variance: float = 5.0) -> float:
    """E K² / (E K)² of one input of a ReLU-like perceptron, dead networks (K = V_0 G_1 = 0) among them.

    Parameters
    ----------
    units, depth
        n and d.
    variance
        v of its slopes: 5 for ReLU (``limits.base.square_variance``).
    """
    k = np.arange(depth + 1.0)
    apart = np.where(k == 0, 1.0, 2.0) * (depth + 1 - k)
    growing, falling = 1 + variance / units, 1 - 1 / units
    terms = apart * growing ** (depth - k) * (growing**k + 2 * falling**k) / 3
    return float(terms.sum()) / (depth + 1) ** 2


def limiting_second_moment(time: float, variance: float = 5.0) -> float:
    """E K² / (E K)² for n, d → ∞ with d/n → T > 0: e^{vT} [1/3 + (4/3) (x − 1 + e^{−x}) / x²], x = (v + 1) T.

    For large T it is e^{vT}/3: of ReLU the e^{5T} of Hanin & Nica (2020) with its constant.
    """
    x = (variance + 1) * time
    return float(np.exp(variance * time) * (1 / 3 + 4 / 3 * (x + np.expm1(-x)) / x**2))
