"""Laws as tables and as samples: quantiles are inverses, and do not depend on what else is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from deeplimits.activations import ReluLike
from deeplimits.laws import EmpiricalLaw
from deeplimits.limits import registry
from deeplimits.networks.network import Network, Shaping

GRAM = ((1.0, 0.3), (0.3, 1.0))
TAILS = np.array([1e-7, 1e-4, 0.1, 0.5, 0.9, 1 - 1e-4, 1 - 1e-7])


@pytest.mark.parametrize(
    ("name", "observable", "shaping"),
    [("correlation_sde", "correlation", Shaping("width", 0.5)), ("unshaped", "rescaled_correlation", None)],
)
def test_each_quantile_is_found_by_itself(name: str, observable: str, shaping: Shaping | None) -> None:
    """Of increasing and decreasing transforms, alone and among others, in any shape, tails included."""
    network = Network(ReluLike(0.0, -1.0 if shaping else 0.0), 20, 20, GRAM, shaping=shaping)
    (law,) = registry()[name].laws(network, [20], observable)
    quantiles = law.quantile(TAILS)
    assert (np.diff(quantiles) > 0).all()
    np.testing.assert_allclose(law.cdf(quantiles), TAILS, rtol=1e-8, atol=1e-14)
    assert [float(law.quantile(level)) for level in TAILS] == quantiles.tolist()
    levels = np.linspace(0, 1, 1001)[1:-1].reshape(27, 37)
    table = law.quantile(levels)
    assert table.shape == levels.shape
    assert table[5, 3] == law.quantile([levels[5, 3], 0.7])[0]


def test_empirical_law_agrees_with_its_sample() -> None:
    law = EmpiricalLaw.of([3.0, 1.0, np.nan, 2.0])
    assert law.quantile([0.01, 1 / 3, 0.5, 0.99]).tolist() == [1.0, 1.0, 2.0, 3.0]
    assert law.cdf([0.5, 1.0, 2.5, 3.0]).tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_density_of_a_bounded_sample_ends_where_it_does() -> None:
    """Correlations of density (1 + x) / 2 pile up at 1. A kernel in x would show half of the density there;
    the estimate in artanh x keeps it, and its mass is 1 less the atom's.
    """
    levels = (np.arange(20_000) + 0.5) / 20_000
    sample = 2 * np.sqrt(levels) - 1
    law = EmpiricalLaw.of(sample, bounded=True)
    at = np.array([-0.5, 0.0, 0.5, 0.9, 0.99])
    np.testing.assert_allclose(law.density(at), (1 + at) / 2, rtol=0.06)
    assert EmpiricalLaw.of(sample).density([1.0])[0] < 0.6
    assert law.density([-1.0, 1.0, 1.5]).tolist() == [0, 0, 0]
    half = EmpiricalLaw.of(np.concatenate([sample, np.ones(len(sample))]), bounded=True)
    np.testing.assert_allclose(half.density(at), law.density(at) / 2, rtol=1e-12)
