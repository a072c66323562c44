"""Piecewise-linear activations: φ_s(x) = s₊ max(x, 0) + s₋ min(x, 0), with slopes s± = 1 + c± · size^{-p}
(Li, Nica & Roy 2022, eq. (2.1); Li & Nica 2024, eq. (2.5)); p = 0 with (c₊, c₋) = (0, −1) is ReLU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ReluLike:
    """φ_s(x) = s₊ max(x, 0) + s₋ min(x, 0), with slopes s± = 1 + c± · size^{-p}.

    Parameters
    ----------
    c_plus, c_minus
        c₊ and c₋; by default, without shaping (p = 0), ReLU.

    Examples
    --------
    >>> from deeplimits import Network, Shaping
    >>> shaped = Network(ReluLike(), width=100, depth=2, gram=((1.0,),), shaping=Shaping(exponent=0.5))
    >>> float(shaped.slopes.plus), float(shaped.slopes.minus)
    (1.0, 0.9)
    """

    c_plus: float = 0.0
    c_minus: float = -1.0

    def canonical_form(self) -> dict[str, Any]:
        """Its canonical form: equal numbers are written equally.

        Returns
        -------
        Plain values, as ``Network.canonical_form`` holds them.
        """
        plus, minus = float(self.c_plus) + 0.0, float(self.c_minus) + 0.0
        return {"name": "relu", "c_plus": plus, "c_minus": minus}


@dataclass(frozen=True, slots=True)
class Identity:
    """φ(x) = x, the linear network.

    Examples
    --------
    >>> from deeplimits import Network
    >>> float(Network(Identity(), width=8, depth=2, gram=((1.0,),)).normalizer)
    1.0
    """

    def canonical_form(self) -> dict[str, Any]:
        """Its canonical form.

        Returns
        -------
        Plain values, as ``Network.canonical_form`` holds them.
        """
        return {"name": "identity"}


@dataclass(frozen=True, slots=True)
class Slopes:
    """The two slopes of a piecewise-linear activation, as 50-digit numbers.

    Parameters
    ----------
    plus, minus
        s₊ and s₋.
    """

    plus: mpmath.mpf
    minus: mpmath.mpf

    @property
    def normalizer(self) -> mpmath.mpf:
        """c = 1 / E φ_s(g)² = 2 / (s₊² + s₋²)."""
        return 2 / (self.plus**2 + self.minus**2)

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """φ_s(x), elementwise, in float64."""
        return np.where(x > 0, float(self.plus), float(self.minus)) * x

    def slope(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """φ_s'(x), elementwise, in float64; s₋ at 0.

        Parameters
        ----------
        x
            Any shape.

        Returns
        -------
        Float64, of the shape of the argument.
        """
        return np.where(x > 0, float(self.plus), float(self.minus))
