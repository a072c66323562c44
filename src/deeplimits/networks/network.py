"""A network at one width, depth and input set: all that its law depends on, and the name of its random
stream.

``Network`` is what limits and engines take. Its *physics* is the canonical form of everything that changes
its law, and the seed: numbers that are equal are written equally (−1 and −1.0), a correlation is its Gram
matrix, and what the network ignores is left out. The SHA-256 of the physics names the network; its first 64
bits are the key of the random stream.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from operator import index
from typing import Any, Literal

import mpmath

from deeplimits.activations import (
    EXACT,
    Activation,
    Identity,
    OrnsteinUhlenbeck,
    Phi,
    ReluLike,
    ShapedSmooth,
    Slopes,
    Smooth,
    shaped,
)

Gram = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Shaping:
    """φ_s approaches the identity like size^{-exponent}, where size is the width or the depth: slopes s± = 1
    + c± size^{-exponent}, or the scale s = a size^{exponent} of a smooth activation.
    """

    by: Literal["width", "depth"] = "width"
    exponent: float = 0.5


@dataclass(frozen=True)
class Network:
    """A random network, i.i.d. N(0, 1) weights, and its inputs.

    A multilayer perceptron (``mlp``) is z_1 = W x / √n_in, z_{ℓ+1} = √(c/n) W_ℓ φ_s(z_ℓ). A residual network
    (``resnet``) is z_0 = W_in x / √n_in, z_{ℓ+1} = z_ℓ + d^{-b} n^{-1/2} W_ℓ φ(z_ℓ): layer 0 is z_0.

    Parameters
    ----------
    activation
        φ before shaping.
    width, depth
        Units of every hidden layer, n, and number of hidden layers, d.
    gram
        V_0 = ⟨x^a, x^b⟩ / n_in, m × m, positive semi-definite with a positive diagonal. Layer 0 of an mlp is
        the input.
    seed
        Different seeds give independent networks.
    shaping
        How φ_s approaches the identity; None leaves the activation unshaped (exponent 0). A residual network
        has none.
    architecture
        ``mlp`` or ``resnet``.
    branch_exponent
        b of a residual network: ½, or 0, or another number that is not negative.
    start
        Where given, every unit of z_0 of a residual network is this number and nothing is drawn for it; the
        Gram matrix is then its square.
    layer_widths
        Units of each hidden layer of an mlp, [depth], where they differ; ``width`` is then the largest.
    """

    activation: Activation
    width: int
    depth: int
    gram: Gram
    seed: int = 0
    shaping: Shaping | None = None
    architecture: Literal["mlp", "resnet"] = "mlp"
    branch_exponent: float = 0.5
    start: float | None = None
    layer_widths: tuple[int, ...] | None = None

    @property
    def inputs(self) -> int:
        """Number of inputs, m."""
        return len(self.gram)

    @property
    def residual(self) -> bool:
        """Whether this is a residual network."""
        return self.architecture == "resnet"

    @property
    def exponent(self) -> float:
        """Shaping exponent p; 0 where the activation is unshaped."""
        return self.shaping.exponent if self.shaping else 0.0

    @cached_property
    def phi(self) -> Phi:
        """φ_s at this width and depth."""
        size = self.depth if self.shaping and self.shaping.by == "depth" else self.width
        return shaped(self.activation, size, self.exponent)

    @property
    def piecewise_linear(self) -> bool:
        """Whether φ_s is ReLU-like or the identity."""
        return isinstance(self.activation, ReluLike | Identity)

    @property
    def slopes(self) -> Slopes:
        """Slopes s± at this width and depth, of a piecewise-linear network."""
        assert isinstance(self.phi, Slopes)
        return self.phi

    @property
    def scale(self) -> mpmath.mpf:
        """s at this width and depth, of a smooth network."""
        assert isinstance(self.phi, ShapedSmooth)
        return self.phi.scale

    @property
    def normalizer(self) -> mpmath.mpf:
        """c = 1 / E φ_s(g)²; a residual network has none."""
        assert not isinstance(self.phi, OrnsteinUhlenbeck)
        return self.phi.normalizer

    def gap(self, a: int = 0, b: int = 1) -> mpmath.mpf:
        """1 − ρ_0 of inputs ``a`` and ``b``, without cancellation."""
        product = EXACT.sqrt(EXACT.mpf(self.gram[a][a]) * EXACT.mpf(self.gram[b][b]))
        return (product - EXACT.mpf(self.gram[a][b])) / product

    def correlation(self, a: int = 0, b: int = 1) -> float:
        """ρ_0 of inputs ``a`` and ``b``."""
        return float(1 - self.gap(a, b))

    def of_inputs(self, chosen: tuple[int, ...]) -> Network:
        """The network that sees some of the inputs only."""
        if chosen == tuple(range(self.inputs)):
            return self
        return replace(self, gram=tuple(tuple(self.gram[a][b] for b in chosen) for a in chosen))

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each hidden layer, [depth]."""
        return self.layer_widths or (self.width,) * self.depth

    def at_width(self, width: int) -> Network:
        """The same with ``width`` units in every layer, whose φ_s and c are those of a layer of so many."""
        return self if self.layer_widths is None else replace(self, width=width, layer_widths=None)

    @property
    def normals_per_sample(self) -> int:
        """Standard normals that one sample takes: m · Σ n_ℓ, and n · m more for z_0 of a residual network
        unless it is given.
        """
        drawn = sum(self.layer_widths) if self.layer_widths else self.width * self.depth
        if self.residual and self.start is None:
            drawn += self.width
        return drawn * self.inputs

    def physics(self) -> dict[str, Any]:
        """The canonical form of all that the law depends on, and the seed."""
        activation: dict[str, Any] = {"name": "identity"}
        shaping: dict[str, Any] | None = None
        match self.activation:
            case ReluLike(c_plus, c_minus):
                activation = {"name": "relu", "c_plus": _number(c_plus), "c_minus": _number(c_minus)}
            case Smooth(formula, a, center):
                activation = {"name": "smooth", "formula": formula, "a": a, "center": _number(center)}
            case OrnsteinUhlenbeck(alpha, beta):
                activation = {"name": "ornstein_uhlenbeck", "alpha": alpha, "beta": _number(beta)}
        if self.shaping and self.shaping.exponent != 0 and not isinstance(self.activation, Identity):
            shaping = {"by": self.shaping.by, "exponent": _number(self.shaping.exponent)}
        residual: dict[str, Any] = {}
        if self.residual:
            residual = {
                "branch_exponent": _number(self.branch_exponent),
                "start": None if self.start is None else _number(self.start),
            }
        return {
            **residual,
            "activation": activation,
            "architecture": self.architecture,
            "depth": index(self.depth),
            "gram": [[_number(value) for value in row] for row in self.gram],
            "seed": index(self.seed),
            "shaping": shaping,
            "width": [index(n) for n in self.layer_widths] if self.layer_widths else index(self.width),
        }

    @cached_property
    def physics_hash(self) -> str:
        """SHA-256 of the physics, in hexadecimal."""
        text = json.dumps(self.physics(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def key(self) -> int:
        """Key of the random stream: the first 64 bits of the physics hash."""
        return int(self.physics_hash[:16], 16)


def _number(value: float) -> float:
    """One spelling for equal numbers: −0.0 and 0 are 0.0, −1 is −1.0."""
    return float(value) + 0.0
