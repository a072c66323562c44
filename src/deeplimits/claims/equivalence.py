"""Verdicts: equivalence tests of measured effects, and what an open one would still take.

An effect is what is found less what is claimed. With error rate α it *holds* where its whole 1 − 2α
interval lies within the margin (two one-sided tests; Schuirmann 1987), *fails* where the interval lies wholly
beyond it, and is *undecided* otherwise. Of several effects, all have to hold and one is enough to fail: each
then has its interval at α divided by their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from deeplimits.analysis.least_squares import fitted
from deeplimits.analysis.proportions import clopper_pearson


class NoEvidence(Exception):
    """What a claim asks for is not there, or says nothing; the message says what."""


Alternative = Literal["equal", "at_most", "at_least"]
Interval = tuple[float, float]
_CONDITION = 1e6
"""Condition of the columns of a fit from which on its coefficients are rounding."""


@dataclass(frozen=True)
class Effect:
    """An effect with its standard error; ``freedom`` are the degrees of freedom of the error.

    ``samples`` networks were drawn for it, of ``normals`` standard normals in all. ``about`` says where it
    was measured.
    """

    value: float
    error: float
    samples: int
    normals: int
    about: str
    size: float = float("nan")
    freedom: float = float("inf")

    def interval(self, rate: float) -> Interval:
        """Two-sided, each side missed with probability ``rate``."""
        from scipy.special import ndtri, stdtrit

        quantile = ndtri(1 - rate) if np.isinf(self.freedom) else stdtrit(self.freedom, 1 - rate)
        half = float(quantile) * self.error
        return self.value - half, self.value + half


@dataclass(frozen=True)
class Counted(Effect):
    """A part of networks, ``hits`` of ``samples``, less ``expected``, times ``factor``."""

    hits: int = 0
    expected: float = 0.0
    factor: float = 1.0

    def interval(self, rate: float) -> Interval:
        """Clopper and Pearson's."""
        low, high = map(float, clopper_pearson(self.hits, self.samples, 2 * rate))
        return (low - self.expected) * self.factor, (high - self.expected) * self.factor


@dataclass(frozen=True)
class Verdict:
    """``holds``, ``fails`` or ``undecided``, with the effect that decides, its interval, and what was drawn.

    ``samples_needed`` and ``normals_needed`` are estimates, for an undecided claim: intervals narrow like one
    over the root of the number of samples.
    """

    verdict: Literal["holds", "fails", "undecided"]
    effect: float
    interval: Interval
    samples: int
    normals: int
    about: str
    samples_needed: float | None = None
    normals_needed: float | None = None


def verdict_of(effects: Sequence[Effect], margin: float, alternative: Alternative, rate: float) -> Verdict:
    """The verdict on effects that all have to lie within ``margin``."""
    low_bound = -margin if alternative != "at_most" else -np.inf
    high_bound = margin if alternative != "at_least" else np.inf
    intervals = [effect.interval(rate / len(effects)) for effect in effects]
    samples, normals = (sum(getattr(effect, name) for effect in effects) for name in ("samples", "normals"))

    def excess(place: int) -> float:
        """How far the interval reaches beyond the margin, at its worse end."""
        low, high = intervals[place]
        return max(low_bound - low, high - high_bound)

    outside = [i for i, (low, high) in enumerate(intervals) if low > high_bound or high < low_bound]
    chosen = max(outside or range(len(effects)), key=excess)
    within = all(low >= low_bound and high <= high_bound for low, high in intervals)
    verdict: Literal["holds", "fails", "undecided"] = (
        "fails" if outside else "holds" if within else "undecided"
    )
    effect, (low, high) = effects[chosen], intervals[chosen]
    needed = None
    if verdict == "undecided":
        gap = min(abs(effect.value - bound) for bound in (low_bound, high_bound))
        ratio = (high - low) / 2 / gap if gap else float("inf")
        needed = ratio * ratio
    return Verdict(
        verdict,
        effect.value,
        (low, high),
        samples,
        normals,
        effect.about,
        None if needed is None else samples * needed,
        None if needed is None else normals * needed,
    )


def extrapolated(effects: Sequence[Effect], powers: Sequence[float]) -> Effect:
    """The limit as the size grows, by weighted least squares in the ``powers`` of 1/size.

    Where the effects scatter more than their errors allow, the error is widened by that factor.

    Raises
    ------
    NoEvidence
        If there are too few sizes, or sizes between which the powers do not tell.
    """
    sizes = len({effect.size for effect in effects})
    if sizes < len(powers) + 1:
        text = "one size is" if sizes == 1 else f"{sizes} sizes are"
        raise NoEvidence(f"{text} too few for an extrapolation; it takes {len(powers) + 1}")
    return _fitted(effects, powers, "extrapolated from")


def pooled(effects: Sequence[Effect]) -> Effect:
    """The weighted mean of what is claimed to be the same at every size, its error widened likewise."""
    return _fitted(effects, (), "together")


def _fitted(effects: Sequence[Effect], powers: Sequence[float], how: str) -> Effect:
    size = np.array([effect.size for effect in effects])
    design = np.stack([np.ones(len(size)), *(size**-power for power in powers)], axis=1)
    value, error = (np.array([getattr(effect, name) for effect in effects]) for name in ("value", "error"))
    if not (np.isfinite(value) & np.isfinite(error)).all():
        raise NoEvidence("what is measured is not finite")
    largest = float(error.max())
    # an effect without any error, such as no event in all samples, would take all the weight; where none has
    # one, all count alike, and what they scatter is their error
    error = np.maximum(error, largest * 1e-3) if largest > 0 else np.ones(len(size))
    scaled = design / error[:, None]
    norms = np.sqrt((scaled**2).sum(axis=0))
    if not (norms > 0).all() or np.linalg.cond(scaled / norms) > _CONDITION:
        raise NoEvidence(f"these sizes do not tell a constant and the powers {list(powers)} apart")
    fit = fitted(design, value, error)
    scatter = fit.chi_square / fit.freedom if fit.freedom else 0.0
    widening = max(1.0 if largest > 0 else 0.0, scatter) if fit.freedom or largest == 0 else 1.0
    sizes = ", ".join(f"{each:g}" for each in sorted(set(size)))
    return Effect(
        float(fit.coefficients[0]),
        float(np.sqrt(fit.covariance[0, 0] * widening)),
        sum(effect.samples for effect in effects),
        sum(effect.normals for effect in effects),
        f"{effects[0].about.partition('; ')[0]}; {how} {sizes}",
        freedom=min(effect.freedom for effect in effects),
    )


def jackknife(values: ArrayLike) -> tuple[float, float]:
    """Mean and standard error from delete-a-group values."""
    kept = np.asarray(values, float)
    count = len(kept)
    return float(kept.mean()), float(np.sqrt((count - 1) / count * ((kept - kept.mean()) ** 2).sum()))
