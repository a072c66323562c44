"""Moments of a layer's step against closed forms in 60 digits, which cancel near ρ = ± 1, where float64 needs its own;
and the laws that are made from them there.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from deeplimits.activations import ReluLike, Slopes
from deeplimits.limits import registry
from deeplimits.limits.step_moments import step
from deeplimits.networks.network import Network, Shaping
from limit_networks import pair


def reference(slopes: Slopes, y: float) -> tuple[float, ...]:
    """m, shift, spread and sway, by T = X + Y and D, whose moments are closed forms in θ = arccos ρ."""
    with mpmath.workdps(60):
        plus, minus, rho = mpmath.mpf(float(slopes.plus)), mpmath.mpf(float(slopes.minus)), mpmath.tanh(y)
        square, fourth, both, mixed = (
            plus**2 + minus**2,
            plus**4 + minus**4,
            (plus * minus) ** 2,
            plus * minus * (plus**2 + minus**2),
        )
        c, theta, sine = 2 / square, mpmath.acos(rho), mpmath.sech(y)
        # E u² v² and −E u³ v of u > 0 > v, times 2π
        straight = (1 + 2 * rho**2) * theta - 3 * sine * rho
        curved = sine * (2 + rho**2) - 3 * theta * rho
        turn = 1 / (2 * mpmath.pi)
        mean = rho + (plus - minus) ** 2 / square / mpmath.pi * (sine - theta * rho)
        gap, total = 1 - mean, 1 + mean
        of_difference = 2 * c**2 * (fourth * sine**2 + (fourth - 2 * both) * straight * turn)
        less = 1 - rho
        of_gap = (
            c**2
            * (
                6 * fourth * less**2
                + ((12 * both - 6 * fourth) * straight + 8 * (mixed - fourth) * curved) * turn
            )
            - 4 * gap**2
        )
        together = (
            c**2
            * (
                2 * fourth * less * (1 + less)
                + ((4 * both - 2 * fourth) * straight + 4 * (mixed - fourth) * curved) * turn
            )
            - 4 * gap
        )
        of_total = 4 * (4 * (mpmath.mpf(3) / 2 * c**2 * fourth - 1) - of_difference) - 4 * together + of_gap
        shift = of_difference * mean / gap / total / 8 - of_total / total**2 / 16 + of_gap / gap**2 / 16
        spread = of_total / total**2 / 16 + of_gap / gap**2 / 16 - (2 * together - of_gap) / gap / total / 8
        return tuple(map(float, (mpmath.atanh(mean) - y, shift, spread, of_difference / 4)))


@pytest.mark.parametrize(
    "slopes",
    [(1, 1), (1, 0.99999), (1, 0.9), (3, 0.2), (1, 0), (0, -1), (1, -0.5), (1, -0.99999), (2, -2)],
    ids=str,
)
def test_moments_have_their_digits_everywhere(slopes: tuple[float, float]) -> None:
    places = np.array([-20.0, -15, -10, -5, -2, -0.3, 0, 1e-9, 0.3, 2, 5, 10, 15, 20])
    found = step(Slopes(*slopes), places)
    for place, y in enumerate(places):
        moved, shift, spread, sway = reference(Slopes(*slopes), float(y))
        assert found.moved[place] == pytest.approx(moved, rel=1e-12, abs=1e-18)
        assert found.shift[place] == pytest.approx(shift, rel=1e-12, abs=1e-14)
        assert found.spread[place] == pytest.approx(spread, rel=1e-11, abs=1e-14)
        assert found.sway[place] == pytest.approx(sway, rel=1e-12)


@pytest.mark.parametrize("slopes", [(1, 1), (1, 0.9), (1, 0), (1, -1)], ids=str)
def test_the_slope_is_that_of_the_step(slopes: tuple[float, float]) -> None:
    y, h = np.linspace(-8, 8, 33) + 0.01, 1e-5
    ahead, behind = (step(Slopes(*slopes), y + way * h).moved for way in (1, -1))
    np.testing.assert_allclose(step(Slopes(*slopes), y).slope, (ahead - behind) / (2 * h), atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("slope", [0.9999, 0.999], ids=str)
def test_laws_of_nearly_antipodal_inputs_agree(slope: float) -> None:
    """To second order in 1/n and exactly, where both moments of a step come from 1 + ρ alone."""
    shape = (slope - 1) * 8
    network = Network(ReluLike(0.0, shape), 64, 8, pair(-1 + 1e-4), shaping=Shaping("width", 0.5))
    one, other = (
        registry()[name].marginals(network, [8], "correlation")[0] for name in ("second_order_sde", "exact")
    )
    at = other.quantile(np.linspace(0.01, 0.99, 99))
    assert np.abs(one.cdf(at) - other.cdf(at)).max() < 1e-3
