"""A hidden layer, and how its activation is shaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import mpmath

from deeplimits.activations import OrnsteinUhlenbeck, Phi, ShapedSmooth, Slopes


@dataclass(frozen=True, slots=True)
class Shaping:
    """φ_s approaches the identity like size^{-exponent}, where size is the width or the depth: slopes s± = 1
    + c± size^{-exponent}, or the scale s = a size^{exponent} of a smooth activation.

    Parameters
    ----------
    by
        Whether the size is the width n or the depth d.
    exponent
        p; 0 leaves the activation as it is.

    Raises
    ------
    ValueError
        If the size is neither.

    Examples
    --------
    >>> from deeplimits import Network, Smooth
    >>> shaped = Network(Smooth.of("tanh"), width=64, depth=9, gram=((1.0,),), shaping=Shaping(by="depth"))
    >>> float(shaped.scale)
    3.0
    """

    by: Literal["width", "depth"] = "width"
    exponent: float = 0.5

    def __post_init__(self) -> None:
        if self.by not in ("width", "depth"):
            raise ValueError(f"shaping by width or depth, not by {self.by!r}")


class UnevenWidths(ValueError):
    """What was asked of a network has a meaning only where all of its layers have one number of units."""

    def __init__(self, asked: str, widths: Sequence[int]):
        super().__init__(
            f"{asked} has no meaning for a network with layers of {min(widths)} to {max(widths)} units: each "
            "layer has its own (Network.layers)"
        )


@dataclass(frozen=True)
class Layer:
    """A hidden layer: so many units, and φ_s as it is shaped there.

    Parameters
    ----------
    units
        Number of units, n_ℓ.
    phi
        φ_s of this layer.
    """

    units: int
    phi: Phi

    @property
    def normalizer(self) -> mpmath.mpf:
        """c = 1 / E φ_s(g)² of this layer; a residual network does not use it."""
        assert not isinstance(self.phi, OrnsteinUhlenbeck)
        return self.phi.normalizer

    @property
    def slopes(self) -> Slopes:
        """Slopes s± of this layer, of a piecewise-linear network."""
        assert isinstance(self.phi, Slopes)
        return self.phi

    @property
    def scale(self) -> mpmath.mpf:
        """s of this layer, of a smooth network."""
        assert isinstance(self.phi, ShapedSmooth)
        return self.phi.scale
