"""What the tangent kernel of an architecture is made of.

K^{ab} = ⟨∂z_out(a)/∂θ, ∂z_out(b)/∂θ⟩ is a sum over its matrices of standard normal weights: the inner product
of what goes into a matrix from two inputs, times that of what comes back to it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from deeplimits.array_types import Array

if TYPE_CHECKING:
    from deeplimits.networks.network import Network

Held = Mapping[str, NDArray[np.float32]]


class TangentKernel(ABC):
    """The stored variables that a tangent kernel is made of, and how.

    ``of_input`` are those of an input, ``of_pair`` those of a pair of inputs.

    Notes
    -----
    In every method ``held`` has what is stored by name, [sample, layer], of all layers from 0 on, and what is
    returned is first what goes into the matrices, then what comes back to them, [sample, matrix] or what
    broadcasts to it.
    """

    of_input: ClassVar[tuple[str, ...]]
    of_pair: ClassVar[tuple[str, ...]]

    @abstractmethod
    def log_squares(self, network: Network, held: Held, a: int) -> tuple[Array, Array]:
        """Logarithms of square norms, of input ``a`` of ``network``; −∞ of nothing."""

    @abstractmethod
    def gaps(self, network: Network, held: Held) -> tuple[Array, Array]:
        """1 − cosines, of the two inputs of ``network``."""
