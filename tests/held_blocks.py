"""Blocks that are in memory, as blocks in containers look to the reductions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Held:
    """A block that is in memory, as a block in a container looks to the reductions."""

    def __init__(self, **variables: NDArray[np.float32]) -> None:
        self._variables = variables
        self.reads = 0

    def read(self, name: str) -> NDArray[np.float32]:
        self.reads += 1
        return self._variables[name]
