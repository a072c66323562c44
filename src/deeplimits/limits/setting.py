"""What a prediction for claims may depend on: the sizes, slopes and inputs of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Setting:
    """What a prediction may depend on; ``entries`` are the (a, b) of the V^{ab} it is about, from 0."""

    width: int
    depth: int
    exponent: float
    c_plus: float
    c_minus: float
    gram: NDArray[np.float64]
    entries: tuple[tuple[int, int], ...] = ()

    @property
    def pair(self) -> tuple[int, int]:
        """The first pair of different inputs among ``entries``, or inputs 0 and 1."""
        return next(((a, b) for a, b in self.entries if a != b), (0, 1))

    @property
    def norm(self) -> float:
        """√(V_0^{aa} V_0^{bb}) of the pair."""
        a, b = self.pair
        return float(np.sqrt(self.gram[a, a] * self.gram[b, b]))

    @property
    def rho(self) -> float:
        """ρ of the pair."""
        return float(self.gram[self.pair]) / self.norm

    @property
    def time(self) -> float:
        """T = d / n."""
        return self.depth / self.width

    @property
    def slopes(self) -> tuple[float, float]:
        """s₊ and s₋."""
        size = float(self.width) ** -self.exponent
        return 1 + self.c_plus * size, 1 + self.c_minus * size
