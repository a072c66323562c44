"""Exact laws against a second deterministic solver, against closed forms, and against networks and chains
they are limits of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from deeplimits.activations import Identity, ReluLike, Smooth
from deeplimits.engines import simulate_block
from deeplimits.engines.paths import chain_gaps, correlation_gaps, rescaled_correlations
from deeplimits.errors import InputError
from deeplimits.laws import NormalLaw, PointMass, kolmogorov, noise_floor
from deeplimits.limits import default_limit, registry
from deeplimits.limits.infinite_width import next_gap
from deeplimits.limits.names import LIMIT_NAMES
from deeplimits.limits.observables import OBSERVABLES
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
    kappa = limit.kappa(network)

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


def test_ode_reaches_the_known_value() -> None:
    """ρ(1) from ρ_0 = 0.3 with (c₊ − c₋)² = 1, by quadrature of dρ / ν(ρ)."""
    network = replace(SHAPED, shaping=Shaping("width", 0.25), width=10_000, depth=100)
    value = registry()["correlation_ode"].laws(network, [100], "correlation")[0].mean
    assert value == pytest.approx(0.3829466571, abs=1e-10)
    from scipy.integrate import quad

    time, _ = quad(lambda r: 2 * np.pi / (np.sqrt(1 - r * r) - r * np.arccos(r)), 0.3, value)
    assert time == pytest.approx(1.0, abs=1e-9)


def test_residual_ode_reaches_the_known_values() -> None:
    """ReLU branches, ρ_0 = 0.3: ρ and V^{ab} at t = 1 to ten digits, V^{aa} = e^{1/2}; twice the branch is four
    times the time.
    """
    network = Network(ReluLike(), 64, 64, GRAM, architecture="resnet")
    limit = registry()["resnet_ode"]
    assert limit.applies(network)
    found = {name: limit.laws(network, [64], name)[0].mean for name in limit.observables}
    assert found["correlation"] == pytest.approx(0.3829466571, abs=1e-10)
    assert found["covariance"] == pytest.approx(0.6313722991, abs=1e-10)
    assert found["variance"] == pytest.approx(np.exp(0.5), rel=1e-12)
    assert found["log_variance"] == 0.5
    doubled = replace(network, activation=ReluLike(1.0, -1.0))
    assert limit.laws(doubled, [16], "correlation")[0].mean == pytest.approx(found["correlation"], abs=1e-12)
    assert not limit.applies(replace(network, branch_exponent=0.0))
    assert not limit.applies(SHAPED)


def test_infinite_width_recursion_falls_like_the_square_of_depth() -> None:
    """ℓ² (1 − ρ_ℓ) tends to (3π/√2)², and the recursion is c K₁ in 30 digits."""
    law = registry()["infinite_width"].laws(
        replace(UNSHAPED, depth=20_000), [20_000], "rescaled_correlation"
    )[0]
    assert law.mean == pytest.approx(2 * np.log(3 * np.pi / np.sqrt(2)), abs=2e-2)
    import mpmath

    for gap in (1e-10, 1e-3, 0.7, 1.9):
        rho = 1 - mpmath.mpf(gap)
        exact = gap - float((mpmath.sqrt(1 - rho**2) - rho * mpmath.acos(rho)) / mpmath.pi)
        assert next_gap(gap, 1.0) == pytest.approx(exact, rel=1e-12)


def test_variance_is_a_geometric_brownian_motion() -> None:
    law = registry()["variance"].laws(UNSHAPED, [150], "log_variance")[0]
    assert isinstance(law, NormalLaw)
    assert (law.location, law.scale**2) == pytest.approx((-2.5, 5.0))
    shaped = registry()["variance"].laws(SHAPED, [75], "variance")[0]
    assert shaped.mean == pytest.approx(1.0)
    assert registry()["variance"].laws(SHAPED, [75], "log_variance")[0].mean == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (UNSHAPED, "unshaped"),
        (SHAPED, "correlation_sde"),
        (replace(SHAPED, shaping=Shaping("width", 0.25)), "correlation_ode"),
        (replace(SHAPED, shaping=Shaping("width", 1.0)), "linear"),
        (replace(SHAPED, activation=Identity()), "linear"),
    ],
)
def test_the_default_is_the_limit_of_the_regime(network: Network, name: str) -> None:
    assert default_limit(network, "correlation").name == name
    assert default_limit(network, "log_variance").name == "variance"


def test_the_registry_and_the_names_agree() -> None:
    assert tuple(registry()) == LIMIT_NAMES
    assert {observable for limit in registry().values() for observable in limit.observables} <= set(
        OBSERVABLES
    )
    assert all(limit.source for limit in registry().values())


def test_smooth_networks_without_curvature_have_a_drift_of_their_own_at_a_quarter() -> None:
    """tanh, p = ¼, n = d = 192: within its O(n^{-1/2}) = 0.037 of the SDE with the extra drift, and 0.079 from
    the one without. The spread of the distances of 2¹³ samples is 0.0055 at most, so that 0.058 is passed on
    either side with a chance below 1e-3.
    """
    network = Network(Smooth.of("tanh"), 192, 192, GRAM, shaping=Shaping("width", 0.25))
    sample = 1 - simulate_block(network, [192], 0, 1 << 13)["correlation_gap"][:, 0, 0].astype(float)
    limit = registry()["smooth_quarter"]
    assert limit.applies(network)
    (law,) = limit.laws(network, [192], "correlation")
    (straight,) = registry()["linear"].laws(replace(network, shaping=Shaping()), [192], "correlation")
    assert kolmogorov(law, sample) < 0.058 < kolmogorov(straight, sample)
    assert not limit.applies(replace(network, activation=Smooth.of("softplus")))


@pytest.mark.slow
def test_certain_limits_are_those_that_are_numbers() -> None:
    networks = [UNSHAPED, SHAPED, replace(SHAPED, shaping=Shaping("width", 0.25))]
    for limit in registry().values():
        for network in networks:
            if limit.applies(network):
                (law,) = limit.laws(network, [network.depth], limit.observables[0])
                assert isinstance(law, PointMass) == limit.certain, limit.name


def test_the_start_must_have_a_law() -> None:
    opposite = replace(SHAPED, gram=((1.0, -1.0), (-1.0, 1.0)))
    with pytest.raises(InputError):
        registry()["correlation_sde"].laws(opposite, [150], "correlation")
    same = replace(SHAPED, gram=((1.0, 1.0), (1.0, 1.0)))
    assert registry()["correlation_sde"].laws(same, [150], "correlation") == [PointMass(1.0)]


@pytest.mark.slow
def test_symmetric_network_is_within_its_distance_of_the_limit() -> None:
    """n = d = 256, c = (½, −½), 65,536 samples: Kolmogorov distance at most 0.009, of which 0.0034 is
    noise."""
    network = Network(ReluLike(0.5, -0.5), 256, 256, GRAM, shaping=Shaping("width", 0.5))
    sample = 1.0 - simulate_block(network, [256], 0, 65_536)["correlation_gap"][:, 0, 0].astype(float)
    assert kolmogorov(registry()["correlation_sde"].laws(network, [256], "correlation")[0], sample) <= 0.009


def test_networks_follow_the_corrected_theorem_and_not_the_printed_one() -> None:
    """n = d = 150, 65,536 samples."""
    sample = simulate_block(UNSHAPED, [150], 0, 65_536)["correlation_gap"][:, 0, 0].astype(float)
    rescaled = np.log(150.0**2 * sample)
    distance = {
        name: kolmogorov(registry()[name].laws(UNSHAPED, [150], "rescaled_correlation")[0], rescaled)
        for name in ("unshaped", "unshaped_corrected", "ln24_theorem_4_1_printed")
    }
    assert distance["ln24_theorem_4_1_printed"] > 0.4
    assert distance["unshaped"] < 0.075
    assert distance["unshaped_corrected"] < 0.03
    assert distance["unshaped_corrected"] < distance["unshaped"]


def test_chain_steps_have_the_moments_of_theory() -> None:
    """One step of the chain from ρ = 0.3, mean and variance against eq. (4.14), false-alarm rate 1e-4."""
    samples, width, rho = 1 << 18, 100, 0.3
    gaps, left = chain_gaps(1 - rho, width, [1], 0, samples)
    q, angle = np.sqrt(1 - rho**2), np.arccos(-rho)
    k1 = (q + rho * angle) / (2 * np.pi)
    k2 = (3 * rho * q + (1 + 2 * rho**2) * angle) / (2 * np.pi)
    k31 = (q * (2 + rho**2) + 3 * rho * angle) / (2 * np.pi)
    mean = 2 * k1 + 0.5 * (k1 * (4 * k2 + 18) - 8 * k31) / width
    variance = 2 * (k1**2 * (4 * k2 + 6) - 8 * k1 * k31 + 2 * k2) / width
    rhos = 1 - gaps[:, 0]
    assert left == 0
    assert abs(rhos.mean() - mean) < 4 * np.sqrt(variance / samples)
    assert abs(rhos.var() / variance - 1) < 4 * np.sqrt(2 / samples)


def test_chain_leaves_the_interval_now_and_then_and_is_brought_back() -> None:
    gaps, left = chain_gaps(1.9, 4, [1, 2, 5], 0, 20_000)
    assert left > 0
    assert ((gaps >= 0) & (gaps <= 2)).all()


def test_paths_have_the_same_bits_for_any_split_and_thread_count() -> None:
    whole, _ = chain_gaps(0.7, 50, [10, 50], 0, 300, threads=1)
    parts = [chain_gaps(0.7, 50, [10, 50], a, b - a, threads=2)[0] for a, b in ((0, 7), (7, 200), (200, 300))]
    assert whole.tobytes() == np.concatenate(parts).tobytes()
    whole, _ = correlation_gaps(0.7, 1.0, 0.01, [100], 0, 300, threads=1)
    parts = [
        correlation_gaps(0.7, 1.0, 0.01, [50, 100], a, b - a, threads=2)[0][:, 1:]
        for a, b in ((0, 100), (100, 300))
    ]
    assert whole.tobytes() == np.concatenate(parts).tobytes()
    whole = rescaled_correlations(-0.3, 0.01, [100], 5, 100, threads=1)
    assert whole.tobytes() == rescaled_correlations(-0.3, 0.01, [100], 0, 105, threads=2)[5:].tobytes()


def test_euler_paths_approach_the_exact_law() -> None:
    """Kolmogorov distance to Fokker–Planck at step 1/400 is at most four noise floors, and at step 1/4 it is
    not."""
    law = registry()["correlation_sde"].laws(SHAPED, [150], "correlation")[0]
    fine, _ = correlation_gaps(0.7, 1.0, 1 / 400, [400], 0, 1 << 15)
    coarse, _ = correlation_gaps(0.7, 1.0, 1 / 4, [4], 0, 1 << 15)
    assert kolmogorov(law, 1 - fine[:, 0]) < 4 * noise_floor(1 << 15)
    assert kolmogorov(law, 1 - coarse[:, 0]) > 4 * noise_floor(1 << 15)


def test_scheme_of_the_paper_approaches_the_exact_law() -> None:
    """Scheme (4.9) from the entrance point: its step error at t = 1 falls with the step."""
    law = registry()["unshaped_entrance"].laws(UNSHAPED, [150], "rescaled_correlation")[0]
    entrance = 2 * np.log(1 / KAPPA)
    distances = [
        kolmogorov(law, rescaled_correlations(entrance, 1 / steps, [steps], 0, 1 << 15)[:, 0])
        for steps in (20, 400)
    ]
    assert distances[0] > 3 * noise_floor(1 << 15)
    assert distances[1] < 2 * noise_floor(1 << 15)
