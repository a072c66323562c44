"""Numbers that figures work out from histograms on their own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from deeplimits.figures.h22_figure_5 import largest_gap


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.5])
def test_the_gap_to_the_gaussian_is_that_of_the_distribution_functions(shift: float) -> None:
    """Of a Gaussian that is ``shift`` off, 2 Φ(shift / 2) − 1, from 64 bins between its 0.1 % and 99.9 %: with h their
    width, the largest gap lies at most h / 2 from an edge, where it is smaller by (h / 2)² / 2 · 0.2 < 2.5e-4.
    """
    edges = norm.ppf(0.001) + shift + (norm.ppf(0.999) - norm.ppf(0.001)) * np.arange(65) / 64
    density = np.diff(norm.cdf(edges - shift)) / np.diff(edges)
    assert largest_gap(edges, density) == pytest.approx(2 * norm.cdf(shift / 2) - 1, abs=2.5e-4)
