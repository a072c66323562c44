"""The activation under which a residual network of one unit is an Ornstein–Uhlenbeck process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NEWTON = 12
"""Iterations to the inverse of erfi; six are enough anywhere."""


@dataclass(frozen=True, slots=True)
class OrnsteinUhlenbeck:
    """φ(y) = exp(h⁻¹(α y + β)²), h(x) = erfi(x) = (2/√π) ∫₀ˣ exp(t²) dt, of the branch of a residual network.

    With one unit and an infinite depth, U = h⁻¹(α z + β) solves dU = −(π α² / 4) U dt + (α √π / 2) dB (Hayou
    2022, Proposition 4).

    Parameters
    ----------
    alpha
        α, positive.
    beta
        β.

    Examples
    --------
    >>> import numpy as np
    >>> OrnsteinUhlenbeck()(np.array([0.0, 1.0])).round(4)
    array([1.    , 1.7081])
    """

    alpha: float = 1.0
    beta: float = 0.0

    def canonical_form(self) -> dict[str, Any]:
        """Its canonical form: equal numbers are written equally.

        Returns
        -------
        Plain values, as ``Network.canonical_form`` holds them.
        """
        return {"name": "ornstein_uhlenbeck", "alpha": self.alpha, "beta": float(self.beta) + 0.0}

    def __call__(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """φ(y), elementwise, in float64."""
        return np.exp(self.inverse(self.alpha * y + self.beta) ** 2)

    def slope(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """φ'(y) = √π α h⁻¹(α y + β), elementwise, in float64.

        Parameters
        ----------
        y
            Any shape.

        Returns
        -------
        Float64, of the shape of the argument.
        """
        return np.sqrt(np.pi) * self.alpha * self.inverse(self.alpha * y + self.beta)

    @staticmethod
    def inverse(v: NDArray[np.float64]) -> NDArray[np.float64]:
        """h⁻¹(v), elementwise, in float64: Newton's iteration on log h(x) = x² + log(2 D(x) / √π), D Dawson's
        function, whose derivative is 1 / D.

        Parameters
        ----------
        v
            Any shape.

        Returns
        -------
        Float64, of the shape of the argument.
        """
        from scipy.special import dawsn

        size = np.maximum(np.abs(v), 1e-290)
        target = np.log(size) + np.log(np.pi) / 2 - np.log(2)
        x = np.minimum(size * np.sqrt(np.pi) / 2, np.sqrt(np.log1p(size)))
        for _ in range(_NEWTON):
            height = dawsn(x)
            x = x * np.exp(np.maximum(-(x**2 + np.log(height) - target) * height / x, -1.0))
        return np.asarray(np.copysign(np.where(v == 0, 0.0, x), v))
