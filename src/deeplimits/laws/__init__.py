"""Laws: distributions on the line, exact or empirical, and the distances between a sample and a law.

Every law answers the same questions, those of ``Law``; how it knows the answers is its own affair.
"""

from __future__ import annotations

from deeplimits.laws.base import About, Law
from deeplimits.laws.closed import NormalLaw, PointMass
from deeplimits.laws.distances import KOLMOGOROV_MEAN, kolmogorov, noise_floor, wasserstein
from deeplimits.laws.empirical import EmpiricalLaw
from deeplimits.laws.tabulated import TabulatedLaw
from deeplimits.laws.transformed import Transform

__all__ = [
    "KOLMOGOROV_MEAN",
    "About",
    "EmpiricalLaw",
    "Law",
    "NormalLaw",
    "PointMass",
    "TabulatedLaw",
    "Transform",
    "kolmogorov",
    "noise_floor",
    "wasserstein",
]
