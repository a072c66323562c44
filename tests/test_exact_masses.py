"""What one layer makes of ρ has the mass 1: densities by quadrature, far tails too, and atoms in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from deeplimits.activations import Slopes
from deeplimits.limits.one_sided import density as density_of_one_side
from deeplimits.limits.transition import density
from deeplimits.limits.transition_rows import transition

NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)


def panels(low: float, high: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss' rule in equal panels."""
    edges = np.linspace(low, high, count + 1)
    half = (high - low) / count / 2
    return (edges[:-1, None] + half * (1 + NODES)).ravel(), np.tile(half * WEIGHTS, count)


@pytest.mark.parametrize("y", [0.0, 1.0, 4.0, 10.0])
@pytest.mark.parametrize("units", [4, 8, 16])
def test_a_step_of_relu_has_all_of_its_mass(units: int, y: float) -> None:
    """Less that no unit lives for both inputs, or one does and no other for either."""
    both = (np.pi - 2 * np.arctan(np.exp(-y))) / (2 * np.pi)
    atoms = (1 - both) ** units + units * both**units
    # from ρ' = 0 on the density may begin like a logarithm
    mass = 0.0
    for low, high, count in ((1e-12, 1e-3, 40), (1e-3, 0.5, 60), (0.5, y + 40, 400)):
        at, weights = panels(low, high, count)
        mass += float(weights @ density_of_one_side(units, y, at))
    assert mass + atoms == pytest.approx(1, abs=5e-7 if units == 4 else 3e-8)


@pytest.mark.parametrize("y", [-1.0, 0.5, 6.0])
@pytest.mark.parametrize("slopes", [(1.0, 0.5), (1.0, 0.9), (1.0, -0.5)], ids=str)
@pytest.mark.parametrize("units", [6, 24])
def test_a_step_of_two_slopes_has_all_of_its_mass(units: int, slopes: tuple[float, float], y: float) -> None:
    """On both sides of 0, far away too; and the rows of wide layers have it on their grid."""
    pair, mass = Slopes(*slopes), 0.0
    for low, high, count in ((-40.0, -0.02, 300), (-0.02, 0.02, 40), (0.02, 40.0, 300)):
        at, weights = panels(low, high, count)
        mass += float(weights @ density(pair, units, y, at))
    assert mass == pytest.approx(1, abs=4e-7 if units == 6 else 1e-10)
    kernel = transition(pair, units)
    assert kernel.row(y).values.sum() * kernel.grid.step == pytest.approx(1, abs=4e-6 if units == 6 else 5e-8)
