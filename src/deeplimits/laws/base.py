"""What every law answers: distribution function, quantiles, density, moments, samples, distances, a plot.

A class of laws says how it knows F, F⁻¹ and p at ordinary arguments; what is asked of all of them alike is
settled here: which levels there are, what happens at ±∞ and at NaN, how samples are drawn.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from deeplimits.array_types import Array
from deeplimits.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from deeplimits.networks.network import Network


@dataclass(frozen=True)
class About:
    """What a law predicts, and on which grounds.

    Parameters
    ----------
    limit
        Name of the limit that the law is of.
    source
        The equation, as its paper numbers it.
    observable, layer, time
        What is predicted, at which layer, and at which time of the limit that layer stands for.
    network
        The network that it is predicted for.
    reason
        Why this limit was taken.
    warning
        What to mind of the prediction for this network; None where there is nothing.
    error
        The Kolmogorov distance that the limit states for a network of this width and depth, 1 where it says
        nothing of the law; None where it states none.
    explosion_probability, explosion_probability_ever
        P(explosion) by that time, and at any time; None where the limit cannot explode.
    """

    limit: str
    source: str
    observable: str
    layer: int
    time: float
    network: Network
    reason: str
    warning: str | None = None
    error: float | None = None
    explosion_probability: float | None = None
    explosion_probability_ever: float | None = None


class Law(ABC):
    """A distribution on the real line, with atoms at ±∞ where something has died or exploded.

    ``about`` says what the law predicts, where ``deeplimits.limit`` made it; it is None otherwise. Arguments
    are numbers or arrays of any shape, and answers have their shape.

    Examples
    --------
    >>> import deeplimits
    >>> inputs = {"correlation": 0.3}
    >>> network = {"activation": {"name": "relu"}, "width": 100, "depth": 5, "inputs": inputs}
    >>> law = deeplimits.limit(network, name="infinite_width_fluctuations")
    >>> law.quantile([0.05, 0.5, 0.95]).round(3)
    array([0.596, 0.774, 0.88 ])
    >>> round(float(law.cdf(0.7)), 3)
    0.217
    """

    about: ClassVar[About | None] = None

    @abstractmethod
    def _cdf(self, x: Array) -> Array:
        """P(X ≤ x) at finite x."""

    @abstractmethod
    def _quantile(self, levels: Array) -> Array:
        """F⁻¹ at levels between 0 and 1."""

    @abstractmethod
    def _density(self, x: Array) -> Array:
        """p(x) at finite x."""

    @property
    @abstractmethod
    def mean(self) -> float:
        """E X; infinite where it is, NaN where there is none."""

    @property
    @abstractmethod
    def std(self) -> float:
        """Standard deviation of X; infinite where E X² is."""

    @property
    def atoms(self) -> tuple[tuple[float, float], ...]:
        """Values that have a probability of their own, ascending, each with it."""
        return ()

    def cdf(self, x: ArrayLike) -> Array:
        """P(X ≤ x); NaN where x is.

        Parameters
        ----------
        x
            Where, any shape.

        Returns
        -------
        An array of the shape of the argument, or a number for a number.
        """
        at = np.asarray(x, float)
        finite = np.isfinite(at)
        if finite.all():
            return np.asarray(self._cdf(at))[()]
        value = np.array(self._cdf(np.where(finite, at, 0.0)))
        value[~finite] = np.select(
            [at[~finite] == np.inf, at[~finite] == -np.inf], [1.0, self.mass(-np.inf)], np.nan
        )
        return value[()]

    def below(self, x: ArrayLike) -> Array:
        """P(X < x): ``cdf`` less what X = x has.

        Parameters
        ----------
        x
            Where, any shape.

        Returns
        -------
        An array of the shape of the argument, or a number for a number.
        """
        at = np.asarray(x, float)
        value = np.array(self.cdf(at), float)
        for where, mass in self.atoms:
            value = value - mass * (at == where)
        return np.asarray(value)[()]

    def mass(self, x: float) -> float:
        """P(X = x).

        Parameters
        ----------
        x
            A number, or ±∞.

        Returns
        -------
        The probability of this value alone; 0 where the law has a density.
        """
        return float(sum(mass for where, mass in self.atoms if where == x))

    def quantile(self, level: ArrayLike) -> Array:
        """The smallest x with P(X ≤ x) ≥ level, 0 < level < 1; infinite where the law has that mass at ±∞.

        Parameters
        ----------
        level
            Strictly between 0 and 1, any shape.

        Returns
        -------
        An array of the shape of the argument, or a number for a number.

        Raises
        ------
        InputError
            If a level is not strictly between 0 and 1.
        """
        levels = np.asarray(level, float)
        between = (levels > 0) & (levels < 1)
        if not between.all():
            wrong = float(levels[~between].ravel()[0])
            raise InputError("quantile", "level", wrong, "a number strictly between 0 and 1")
        return np.asarray(self._quantile(levels))[()]

    icdf = quantile
    """The inverse distribution function: another name of ``quantile``."""

    def density(self, x: ArrayLike) -> Array:
        """Density with respect to dx, without the atoms; NaN where the law has none, 0 at ±∞.

        Parameters
        ----------
        x
            Where, any shape.

        Returns
        -------
        An array of the shape of the argument, or a number for a number. Its unit is one over that of x.
        """
        at = np.asarray(x, float)
        finite = np.isfinite(at)
        if finite.all():
            return np.asarray(self._density(at))[()]
        value = np.array(self._density(np.where(finite, at, 0.0)), float)
        value[~finite] = np.where(np.isnan(at[~finite]), np.nan, 0.0)
        return value[()]

    pdf = density
    """Another name of ``density``."""

    def sample(self, size: int | tuple[int, ...] = 1, seed: int = 0) -> Array:
        """Independent draws of X, of the shape ``size``; equal seeds give equal draws.

        They are quantiles at uniform levels, so that two laws with one seed are coupled. Networks drawn by
        ``deeplimits.simulate`` have nothing to do with them.

        Parameters
        ----------
        size
            How many, or a shape.
        seed
            Of the draws.

        Returns
        -------
        Draws, of the shape ``size``; ``[1]`` by default.
        """
        whole = np.random.default_rng(seed).integers(0, 1 << 52, size)
        return np.asarray(self.quantile((whole + 0.5) / (1 << 52)))

    def distance(
        self, samples: ArrayLike, kind: Literal["kolmogorov", "wasserstein"] = "kolmogorov"
    ) -> float:
        """How far the law of ``samples`` is from this one: sup |F_N − F|, or ∫ |F_N⁻¹ − F⁻¹| du.

        N draws of the law itself have a Kolmogorov distance of 0.869 / √N on average, ``noise_floor(N)``.

        Parameters
        ----------
        samples
            Numbers of any shape, in any order.
        kind
            ``kolmogorov`` or ``wasserstein``.

        Returns
        -------
        The distance: of Kolmogorov between 0 and 1, of Wasserstein in the unit of the samples.

        Raises
        ------
        InputError
            If there is no sample, one is NaN, or the Wasserstein distance does not exist.
        """
        from deeplimits.laws import distances

        if kind not in {"kolmogorov", "wasserstein"}:
            raise InputError("distance", "kind", kind, "one of kolmogorov, wasserstein")
        x = np.ravel(np.asarray(samples, float))
        unknown = int(np.isnan(x).sum())
        if not len(x) or unknown:
            found = f"<{unknown} NaN of {len(x)}>" if len(x) else "<no sample>"
            raise InputError("distance", "samples", found, "one number or more, none of them NaN")
        if kind == "kolmogorov":
            return distances.kolmogorov(self, x)
        if not (np.isfinite(x).all() and all(np.isfinite(where) for where, _ in self.atoms)):
            expected = "finite samples and a law of finite numbers; kolmogorov, which exists for all"
            raise InputError("distance", "kind", kind, expected)
        return distances.wasserstein(self, x)

    def plot(
        self,
        ax: Axes | None = None,
        kind: Literal["density", "cdf"] = "density",
        samples: ArrayLike | None = None,
        **options: Any,
    ) -> Axes:
        """Draw the density, or the distribution function; atoms are lines with a dot as high as their mass.

        Parameters
        ----------
        ax
            Where to draw; a new figure by default.
        kind
            ``density`` or ``cdf``.
        samples
            Numbers to draw beside the law, as a histogram or as their distribution function.
        options
            For the line, as ``matplotlib`` takes them.

        Returns
        -------
        The axes. Matplotlib is imported here and its settings stay what they are.

        Raises
        ------
        InputError
            If there is no such kind.
        """
        from deeplimits.laws.shown import plotted

        return plotted(self, ax, kind, samples, options)

    def __repr__(self) -> str:
        from deeplimits.laws.shown import one_line

        return one_line(self)

    def _repr_html_(self) -> str:
        from deeplimits.laws.shown import html

        return html(self)
