"""Laws of Fokker–Planck equations against a second deterministic solver and against closed forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from deeplimits.activations import Identity, ReluLike
from deeplimits.errors import InputError
from deeplimits.laws import PointMass
from deeplimits.limits import registry
from deeplimits.limits.unshaped import KAPPA
from deeplimits.networks.network import Network, Shaping

Array = NDArray[np.float64]
GRAM = ((1.0, 0.3), (0.3, 1.0))
SHAPED = Network(ReluLike(0.0, -1.0), 150, 150, GRAM, shaping=Shaping("width", 0.5))
UNSHAPED = Network(ReluLike(), 150, 150, GRAM)
LEVELS = np.array([0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99])


def second_solver(
    drift: Callable[[Array], Array], start: float, time: float, low: float, high: float, cells: int
) -> tuple[Array, Array]:
    """P(Y_t ≤ y) for dY = a dt + dB by finite differences: G_t = ½ G_yy − a G_y from a step, Crank–Nicolson
    after four implicit half steps."""
    step = (high - low) / cells
    offset = start - low
    y = (
        low + (offset - (np.floor(offset / step) + 0.5) * step) + step * np.arange(cells + 1)
    )  # the step lies midway between nodes
    a = drift(y[1:-1])
    lower, diagonal, upper = 0.5 / step**2 + a / (2 * step), -1 / step**2, 0.5 / step**2 - a / (2 * step)
    g = (y > start).astype(float)
    steps = cells // 4
    dt = time / steps

    def implicit(values: Array, size: float) -> Array:
        banded = np.zeros((3, cells - 1))
        banded[0, 1:], banded[1], banded[2, :-1] = -size * upper[:-1], 1 - size * diagonal, -size * lower[1:]
        right = values[1:-1].copy()
        right[-1] += size * upper[-1]
        return np.concatenate([[0.0], solve_banded((1, 1), banded, right), [1.0]])

    for _ in range(4):
        g = implicit(g, dt / 2)
    for _ in range(steps - 2):
        middle = g.copy()
        middle[1:-1] += dt / 2 * (lower * g[:-2] + diagonal * g[1:-1] + upper * g[2:])
        g = implicit(middle, dt / 2)
    return y, g


def extrapolated(
    drift: Callable[[Array], Array],
    start: float,
    time: float,
    low: float,
    high: float,
    at: Array,
    cells: int = 1600,
) -> Array:
    """The second solver at ``at``, its second-order error removed by doubling."""
    from scipy.interpolate import CubicSpline

    coarse, fine = (
        CubicSpline(*second_solver(drift, start, time, low, high, n))(at) for n in (cells, 2 * cells)
    )
    return np.asarray(fine + (fine - coarse) / 3)


def check_quantiles(cumulative: Callable[[Array], Array], coordinate: Array, x: Array) -> None:
    """The given quantiles against a CDF in a coordinate: the error in F, brought back to the observable, is
    at most 2e-6."""
    width = 1e-4
    slope = (cumulative(coordinate + width) - cumulative(coordinate - width)) / (2 * width)
    scale = np.abs(np.gradient(x, coordinate))
    error = np.abs(cumulative(coordinate) - LEVELS) / slope * scale
    assert error.max() <= 2e-6, error


@pytest.mark.slow
@pytest.mark.parametrize(
    "time", [pytest.param(0.2, marks=pytest.mark.slow), 1.0, pytest.param(4.0, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", ["correlation_sde", "matched_sde", "linear"])
@pytest.mark.parametrize("rho", [0.3, -0.9, 0.95, 0.999])
def test_correlation_quantiles(name: str, time: float, rho: float) -> None:
    network = replace(
        SHAPED,
        gram=((1.0, rho), (rho, 1.0)),
        activation=Identity() if name == "linear" else SHAPED.activation,
    )
    limit = registry()[name]
    kappa = limit.kappas(network)[0]

    def drift(y: Array) -> Array:
        r = np.tanh(y)
        theta = 2 * np.arctan2(np.exp(-y), 1.0)
        q = 1 / np.cosh(y)
        nu = kappa / (2 * np.pi) * np.where(theta < 0.02, theta**3 / 3 - theta**5 / 30, q - r * theta)
        return nu * np.cosh(y) ** 2 + r / 2

    layer = round(time * 150)
    law = limit.laws(network, [layer], "correlation")[0]
    x = law.quantile(LEVELS)
    y = np.arctanh(x)
    start = float(np.arctanh(rho))
    low, high = start - 6 * np.sqrt(time) - 0.5, start + 7 * np.sqrt(time) + time
    if kappa > 0:
        low = max(low, -4.5)  # the drift grows like cosh² y: nothing gets there
    check_quantiles(lambda at: extrapolated(drift, start, time, low, high, at, 3200), y, x)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "growth", "bend"),
    [("unshaped", 1.0, 0.0), ("unshaped_corrected", 1.0, 1.0), ("ln24_theorem_4_1_printed", 2.0, 0.0)],
)
@pytest.mark.parametrize("time", [1.0, pytest.param(4.0, marks=pytest.mark.slow)])
def test_unshaped_quantiles(name: str, growth: float, bend: float, time: float) -> None:
    """In x = log w: dx = (κ e^{−x} + (2 g − 1) + b e^{−2x}) dt − √2 dB; y = x / √2."""
    network = replace(UNSHAPED, width=20, depth=20)
    root = np.sqrt(2)

    def drift(y: Array) -> Array:
        inverse = np.exp(-root * y)
        return (KAPPA * inverse + 2 * growth - 1 + bend * 3 * KAPPA**2 / (2 * 20) * inverse**2) / root

    law = registry()[name].laws(network, [round(20 * time)], "rescaled_correlation")[0]
    r = law.quantile(1 - LEVELS)
    y = (np.log(time) - r / 2) / root
    start = float(np.log(1 / (20 * np.sqrt(0.7)))) / root
    high = start + 8 * np.sqrt(time) + 2 * time
    check_quantiles(lambda at: extrapolated(drift, start, time, start - 2, high, at, 4000), y, r)


def test_entrance_law_has_the_moments_of_its_closed_form() -> None:
    """w_t = κ ∫ e^{s + √2 B_s} ds: E w = κ/2 (e^{2t} − 1), E w² = κ² [(e^{6t} − e^{2t})/4 − (e^{6t} −
    1)/6]."""
    law = registry()["unshaped_entrance"].laws(UNSHAPED, [75], "rescaled_correlation")[0]
    u = (np.arange(400_000) + 0.5) / 400_000
    w = 0.5 * np.exp(-law.quantile(u) / 2)
    assert w.mean() == pytest.approx(KAPPA / 2 * np.expm1(1.0), rel=2e-4)
    assert (w**2).mean() == pytest.approx(
        KAPPA**2 * ((np.exp(3) - np.exp(1)) / 4 - np.expm1(3) / 6), rel=5e-3
    )


def test_entrance_law_is_the_limit_of_wide_networks() -> None:
    entrance = (
        registry()["unshaped_entrance"].laws(UNSHAPED, [150], "rescaled_correlation")[0].quantile(LEVELS)
    )
    gaps = []
    for width in (1_000, 10_000, 100_000):
        network = replace(UNSHAPED, width=width, depth=width)
        gaps.append(
            np.abs(
                registry()["unshaped"].laws(network, [width], "rescaled_correlation")[0].quantile(LEVELS)
                - entrance
            ).max()
        )
    assert gaps[0] > 5 * gaps[1] > 25 * gaps[2]
    assert gaps[2] < 1e-3


@pytest.mark.parametrize("name", ["correlation_sde", "unshaped", "unshaped_corrected"])
def test_asking_for_more_layers_changes_no_law(name: str) -> None:
    network = UNSHAPED if name.startswith("unshaped") else SHAPED
    limit = registry()[name]
    alone = limit.laws(network, [150], limit.observables[0])[0].quantile(LEVELS)
    among = limit.laws(network, range(10, 151, 10), limit.observables[0])[-1].quantile(LEVELS)
    np.testing.assert_allclose(alone, among, atol=2e-6)


def test_correlation_and_rescaled_correlation_are_one_law() -> None:
    rescaled = registry()["unshaped"].laws(UNSHAPED, [150], "rescaled_correlation")[0]
    plain = registry()["unshaped"].laws(UNSHAPED, [150], "correlation")[0]
    np.testing.assert_allclose(
        1 - np.exp(rescaled.quantile(1 - LEVELS)) / 150**2, plain.quantile(LEVELS), atol=1e-12
    )


def test_density_is_the_derivative_of_the_cdf() -> None:
    for network, name in ((SHAPED, "correlation_sde"), (UNSHAPED, "unshaped")):
        law = registry()[name].laws(network, [150], "correlation")[0]
        x = law.quantile(LEVELS)
        h = 1e-5 * (1 - x)
        np.testing.assert_allclose(law.density(x), (law.cdf(x + h) - law.cdf(x - h)) / (2 * h), rtol=1e-6)
        np.testing.assert_allclose(law.cdf(x), LEVELS, atol=1e-12)


def test_the_start_must_have_a_law() -> None:
    opposite = replace(SHAPED, gram=((1.0, -1.0), (-1.0, 1.0)))
    with pytest.raises(InputError):
        registry()["correlation_sde"].laws(opposite, [150], "correlation")
    same = replace(SHAPED, gram=((1.0, 1.0), (1.0, 1.0)))
    assert registry()["correlation_sde"].laws(same, [150], "correlation") == [PointMass(1.0)]
