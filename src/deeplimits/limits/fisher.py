"""The law of ρ' after one layer of a linear network, by R. A. Fisher's density of a correlation.

It is that of the correlation of n pairs of normals that are not centred, in y = artanh ρ

    f(y' | y) = C √(cosh y' / cosh y) cosh(y' − y)^{½ − n} ₂F₁(½, ½; n + ½; (1 + ρρ')/2),

C = (n − 1) Γ(n) / (√(2π) Γ(n + ½)).
"""

from __future__ import annotations

import numpy as np

from deeplimits.array_types import Array


def density(units: int, y: float, at: Array) -> Array:
    """The density of y' after a linear layer of ``units`` units, at any places [node].

    Parameters
    ----------
    y
        artanh ρ before the layer.
    """
    # SciPy's special functions take a quarter of a second to import, and every command imports the limits
    from scipy.special import gammaln, hyp2f1

    constant = np.log(units - 1) + gammaln(units) - gammaln(units + 0.5) - 0.5 * np.log(2 * np.pi)
    grown = (_log_cosh(at) - _log_cosh(np.array(y))) / 2 - (units - 0.5) * _log_cosh(at - y)
    series = hyp2f1(0.5, 0.5, units + 0.5, (1 + np.tanh(at) * np.tanh(y)) / 2)
    return np.asarray(np.exp(constant + grown) * series)


def _log_cosh(x: Array) -> Array:
    return np.asarray(np.logaddexp(x, -x) - np.log(2))
