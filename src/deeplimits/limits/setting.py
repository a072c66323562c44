"""What a prediction for claims may depend on: the sizes, slopes and inputs of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeplimits.array_types import Array


class UnpredictableError(ValueError):
    """A prediction was asked for that has no meaning for the network; the message says why."""


@dataclass(frozen=True)
class Setting:
    """What a prediction may depend on; ``entries`` are the (a, b) of the V^{ab} it is about, from 0.

    Raises
    ------
    UnpredictableError
        Where a property is asked for that the network does not have.
    """

    width: int
    depth: int
    exponent: float
    c_plus: float
    c_minus: float
    gram: Array
    entries: tuple[tuple[int, int], ...] = ()

    @property
    def pair(self) -> tuple[int, int]:
        """The first pair of different inputs among ``entries``, or inputs 0 and 1."""
        return next(((a, b) for a, b in self.entries if a != b), (0, 1))

    @property
    def norm(self) -> float:
        """√(V_0^{aa} V_0^{bb}) of the pair."""
        a, b = self.pair
        if max(a, b) >= len(self.gram):
            raise UnpredictableError(
                f"it is about inputs {a + 1} and {b + 1}, and there are {len(self.gram)}"
            )
        return float(np.sqrt(self.gram[a, a] * self.gram[b, b]))

    @property
    def rho(self) -> float:
        """ρ of the pair."""
        norm = self.norm
        return float(self.gram[self.pair]) / norm

    @property
    def time(self) -> float:
        """T = d / n."""
        return self.depth / self.width

    @property
    def slopes(self) -> tuple[float, float]:
        """s₊ and s₋."""
        size = float(self.width) ** -self.exponent
        return 1 + self.c_plus * size, 1 + self.c_minus * size
