"""A network at one width, depth and input set: all that its law depends on, and the name of its random
stream.

``Network`` is what limits and engines take. Its *canonical form* holds everything that changes its law,
and the seed: numbers that are equal are written equally (−1 and −1.0), a correlation is its Gram
matrix, and what the network ignores is left out. The SHA-256 of that is its *fingerprint*, which names
the network; its first 64 bits are the key of the random stream.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from operator import index
from typing import Any

import mpmath

from deeplimits.activations import Activation, Identity, Phi, ReluLike, Slopes, shaped
from deeplimits.architectures import architecture, of_papers
from deeplimits.architectures.base import Architecture
from deeplimits.digits import EXACT
from deeplimits.networks.canonical import canonical, number, one_width, rounded_gap
from deeplimits.networks.layer import Layer, Shaping, UnevenWidths

__all__ = ["Gram", "Layer", "Network", "Shaping", "UnevenWidths", "canonical"]

Gram = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Network:
    """A random network, i.i.d. N(0, 1) weights, and its inputs.

    A multilayer perceptron (``mlp``) is z_1 = W x / √n_in, z_{ℓ+1} = √(c/n) W_ℓ φ_s(z_ℓ). A residual network
    (``resnet``) is z_0 = W_in x / √n_in, z_{ℓ+1} = z_ℓ + d^{-b} n^{-1/2} W_ℓ φ(z_ℓ): layer 0 is z_0.

    Parameters
    ----------
    activation
        φ before shaping.
    width
        Units of every hidden layer, n; of an mlp also those of each, [depth]. Equal widths become one number.
    depth
        Number of hidden layers, d.
    gram
        V_0 = ⟨x^a, x^b⟩ / n_in, m × m, positive semi-definite with a positive diagonal. Layer 0 of an mlp is
        the input.
    seed
        Different seeds give independent networks.
    shaping
        How φ_s approaches the identity; None leaves the activation unshaped (exponent 0). A residual network
        has none.
    architecture
        The name of one of ``deeplimits.architectures``.
    branch_exponent
        b of a residual network: ½, or 0, or another number that is not negative.
    start
        Where given, every unit of z_0 of a residual network is this number and nothing is drawn for it; the
        Gram matrix is then its square.

    Raises
    ------
    ValueError
        If there is not one width for each layer, or no such architecture, or if its layers have one width and
        these differ.

    Examples
    --------
    >>> from deeplimits import ReluLike
    >>> network = Network(ReluLike(), width=100, depth=50, gram=((1.0, 0.3), (0.3, 1.0)))
    >>> network.inputs, network.correlation(), float(network.normalizer)
    (2, 0.3, 2.0)
    >>> network.fingerprint[:8]
    'c30ee0be'
    """

    activation: Activation
    width: int | tuple[int, ...]
    depth: int
    gram: Gram
    seed: int = 0
    shaping: Shaping | None = None
    architecture: str = of_papers().name
    branch_exponent: float = 0.5
    start: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", one_width(self.width, self.depth))
        if self.uneven and not self.kind.uneven:
            raise ValueError(f"all layers of {self.kind.title} have one width")

    @property
    def inputs(self) -> int:
        """Number of inputs, m."""
        return len(self.gram)

    @property
    def kind(self) -> Architecture:
        """What its architecture knows."""
        return architecture(self.architecture)

    @property
    def residual(self) -> bool:
        """Whether layers add a branch to a state, whose layer 0 has units."""
        return self.kind.residual

    @property
    def exponent(self) -> float:
        """Shaping exponent p; 0 where the activation is unshaped."""
        return self.shaping.exponent if self.shaping else 0.0

    @cached_property
    def layer_kinds(self) -> dict[int, Layer]:
        """One layer of each number of units that occurs, by that number."""
        kinds = {self.width} if isinstance(self.width, int) else set(self.width)
        return {units: Layer(units, self._phi_at(units)) for units in sorted(kinds)}

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The hidden layers, [depth]: units, φ_s and c of each. Layer ℓ of the recursion is ``layers[ℓ −
        1]``,
        for layer 0 is the input; in a residual network all are alike, and so is φ at layer 0.
        """
        return tuple(self.layer_kinds[units] for units in self.widths)

    @property
    def phi(self) -> Phi:
        """φ_s of every layer.

        Raises
        ------
        UnevenWidths
            If it differs from layer to layer.
        """
        return self._any_layer.phi

    @cached_property
    def _any_layer(self) -> Layer:
        """A layer whose φ_s is that of all."""
        if self.uneven and self.shaped_by_width:
            raise UnevenWidths("φ_s", self.widths)
        return next(iter(self.layer_kinds.values()))

    def _phi_at(self, units: int) -> Phi:
        size = self.depth if self.shaping and self.shaping.by == "depth" else units
        return shaped(self.activation, size, self.exponent)

    @property
    def shaped_by_width(self) -> bool:
        """Whether φ_s depends on the number of units of its layer."""
        return (
            self.exponent != 0
            and self.shaping is not None
            and self.shaping.by == "width"
            and not isinstance(self.activation, Identity)
        )

    @property
    def piecewise_linear(self) -> bool:
        """Whether φ_s is ReLU-like or the identity."""
        return isinstance(self.activation, ReluLike | Identity)

    @property
    def slopes(self) -> Slopes:
        """Slopes s± of every layer, of a piecewise-linear network; raises as ``phi`` does."""
        return self._any_layer.slopes

    @property
    def scale(self) -> mpmath.mpf:
        """s of every layer, of a smooth network; raises as ``phi`` does."""
        return self._any_layer.scale

    @property
    def normalizer(self) -> mpmath.mpf:
        """c = 1 / E φ_s(g)² of every layer; a residual network has none; raises as ``phi`` does."""
        return self._any_layer.normalizer

    def gap(self, a: int = 0, b: int = 1) -> mpmath.mpf:
        """1 − ρ_0 of inputs ``a`` and ``b``, without cancellation.

        Parameters
        ----------
        a, b
            Numbers of two inputs, from 0.

        Returns
        -------
        A number of 50 digits, between 0 and 2.
        """
        found = rounded_gap(self.gram[a][a], self.gram[b][b], self.gram[a][b])
        return min(max(found, EXACT.zero), EXACT.mpf(2))

    def correlation(self, a: int = 0, b: int = 1) -> float:
        """ρ_0 of inputs ``a`` and ``b``.

        Parameters
        ----------
        a, b
            Numbers of two inputs, from 0.

        Returns
        -------
        Between −1 and 1.
        """
        return float(1 - self.gap(a, b))

    def of_inputs(self, chosen: tuple[int, ...]) -> Network:
        """The network that sees some of the inputs only.

        Parameters
        ----------
        chosen
            Numbers of the inputs, from 0, in the order they are to have.

        Returns
        -------
        A network of another identity, unless all inputs are chosen.
        """
        if chosen == tuple(range(self.inputs)):
            return self
        return replace(self, gram=tuple(tuple(self.gram[a][b] for b in chosen) for a in chosen))

    @property
    def uneven(self) -> bool:
        """Whether the number of units differs from layer to layer."""
        return not isinstance(self.width, int)

    @property
    def units(self) -> int:
        """Units of every hidden layer, n.

        Raises
        ------
        UnevenWidths
            If there is no such number.
        """
        if isinstance(self.width, int):
            return self.width
        raise UnevenWidths("the width n", self.width)

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each hidden layer, [depth]."""
        return (self.width,) * self.depth if isinstance(self.width, int) else self.width

    @property
    def widest(self) -> int:
        """Units of the largest hidden layer, for which memory is needed."""
        return self.width if isinstance(self.width, int) else max(self.width)

    def at_width(self, units: int) -> Network:
        """The same with ``units`` units in every layer, whose φ_s and c are those of a layer of so many.

        Parameters
        ----------
        units
            The width of every layer, n.

        Returns
        -------
        A network of another identity, unless it had this width.
        """
        return self if self.width == units else replace(self, width=units)

    @property
    def normals_per_sample(self) -> int:
        """Standard normals that one sample takes: m · Σ n_ℓ, and n · m more for z_0 of a residual network
        unless it is given.
        """
        return self.kind.normals(self)

    def canonical_form(self) -> dict[str, Any]:
        """The canonical form of all that the law depends on, and the seed.

        Returns
        -------
        Plain values: text, numbers, lists and mappings, what JSON can hold.
        """
        shaping: dict[str, Any] | None = None
        if self.shaping and self.shaping.exponent != 0 and not isinstance(self.activation, Identity):
            shaping = {"by": self.shaping.by, "exponent": number(self.shaping.exponent)}
        sampler = self.kind.sampler
        return {
            **self.kind.canonical_form(self),
            **({"sampler": sampler} if sampler else {}),
            "activation": self.activation.canonical_form(),
            "architecture": self.architecture,
            "depth": index(self.depth),
            "gram": [[number(value) for value in row] for row in self.gram],
            "seed": index(self.seed),
            "shaping": shaping,
            "width": index(self.width) if isinstance(self.width, int) else [index(n) for n in self.width],
        }

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal."""
        return hashlib.sha256(canonical(self.canonical_form()).encode()).hexdigest()

    @property
    def key(self) -> int:
        """Key of the random stream: the first 64 bits of the fingerprint."""
        return int(self.fingerprint[:16], 16)
