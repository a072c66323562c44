"""The exact law of the variance of finite networks, against oracles of other kinds: sums of gamma variables in closed form,
exact moments, a linear network written as a formula, other panels, and simulated networks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from deeplimits.activations import Activation, Identity, ReluLike, Slopes, Smooth
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.laws import Law, Transform, kolmogorov
from deeplimits.limits import kept_rows, registry, variance_chain
from deeplimits.limits.variance_factors import Factors, characteristic
from deeplimits.limits.variance_rows import Rows, VarianceKernel
from deeplimits.networks.network import Network, Shaping

ONE = ((1.0,),)
HALF = Shaping("width", 0.5)
EXPLOSIVE = Smooth.of("softplus", 1.0, -1.0)
LIMIT = registry()["exact_variance"]
Z = np.linspace(-4.5, 4.5, 91)


def law(network: Network, observable: str = "log_variance", layer: int | None = None) -> Law:
    return LIMIT.marginals(network, [network.depth if layer is None else layer], observable)[0]


def one_layer(slopes: Slopes, units: int, x: np.ndarray) -> np.ndarray:
    """P(V ≤ x) of inputs that live, given V_0 = 1, for slopes of which one is 0 or both are equal."""
    k = np.arange(1, units + 1)
    weights = stats.binom.pmf(k, units, 0.5) if slopes.minus == 0 else (k == units).astype(float)
    c = 2 / float(slopes.plus**2 + slopes.minus**2)
    inside = [stats.chi2.cdf(x * units / c / float(slopes.plus) ** 2, each) for each in k]
    return np.asarray(weights @ np.array(inside) / weights.sum())


@pytest.mark.parametrize("units", [1, 2, 5, 64, 1024])
@pytest.mark.parametrize("slopes", [Slopes(1, 0), Slopes(1, 1), Slopes(2, -2)])
def test_one_layer_is_a_mixture_of_gamma_variables(slopes: Slopes, units: int) -> None:
    found = Factors(((slopes, units, 1),)).law(Transform.linear())
    at = np.asarray(found.quantile(stats.norm.cdf(Z)))
    assert np.abs(found.cdf(at) - one_layer(slopes, units, np.exp(at))).max() < 1e-11


@pytest.mark.parametrize(
    "slopes", [Slopes(1, 0), Slopes(1, -1), Slopes(1, 0.3), Slopes(0.01, 1), Slopes(1, 1e-6)]
)
@pytest.mark.parametrize("units", [1, 3, 16, 300])
def test_factors_have_the_moments_of_their_units(slopes: Slopes, units: int) -> None:
    """E V'/V = 1 and E (V'/V)² = 1 + v/n of all inputs, dead ones among them."""
    plus, minus = float(slopes.plus), float(slopes.minus)
    v = 6 * (plus**4 + minus**4) / (plus**2 + minus**2) ** 2 - 1
    alive = 1 - 0.5**units if plus * minus == 0 else 1.0
    found = characteristic(slopes, units, np.array([-1j, -2j])) * alive
    assert np.allclose(found, [1, 1 + v / units], rtol=1e-11, atol=0)


@pytest.mark.parametrize(("slopes", "units"), [(Slopes(1, 0.2), 3), (Slopes(0.5, -1.5), 12)])
def test_two_slopes_are_a_mixture_of_sums(slopes: Slopes, units: int) -> None:
    """P(αA + βB ≤ x) by quadrature over B, of each number of positive units."""
    found = Factors(((slopes, units, 1),)).law(Transform.linear())
    x = np.exp(np.asarray(found.quantile([0.003, 0.2, 0.5, 0.9, 0.999])))
    c = 2 / float(slopes.plus**2 + slopes.minus**2) / units
    alpha, beta = c * float(slopes.plus) ** 2, c * float(slopes.minus) ** 2
    levels = (np.arange(20_000) + 0.5) / 20_000
    total = 0.5**units * (stats.chi2.cdf(x / alpha, units) + stats.chi2.cdf(x / beta, units))
    for k in range(1, units):
        rest = x[:, None] - beta * stats.chi2.ppf(levels, units - k)
        total += stats.binom.pmf(k, units, 0.5) * stats.chi2.cdf(rest / alpha, k).mean(axis=1)
    assert np.abs(found.cdf(np.log(x)) - total).max() < 2e-4


def test_dead_networks_have_the_value_nothing() -> None:
    network = Network(ReluLike(), (2, 5, 3), 3, ((2.0,),))
    dead = 1 - (1 - 0.5**2) * (1 - 0.5**5) * (1 - 0.5**3)
    assert law(network).mass(-np.inf) == pytest.approx(dead, rel=1e-14)
    assert law(network, "variance").mass(0.0) == pytest.approx(dead, rel=1e-14)
    assert law(network, "variance").mean == pytest.approx(2.0, rel=1e-4)


def test_a_kernel_of_a_linear_formula_is_that_of_the_linear_network() -> None:
    formula, linear = Network(Smooth.of("x"), 24, 12, ((0.5,),)), Network(Identity(), 24, 12, ((0.5,),))
    at = np.asarray(law(linear).quantile(stats.norm.cdf(Z)))
    assert np.abs(law(formula).cdf(at) - law(linear).cdf(at)).max() < 1e-9


@pytest.mark.parametrize("depth", [1, 2])
def test_panels_are_fine_enough_for_the_distribution(depth: int) -> None:
    """A bounded activation has a density that is right in its mass long before it is so within a panel."""
    network = Network(Smooth.of("tanh"), 16, depth, ONE)
    layers = [(layer.phi, layer.units) for layer in network.layers]
    (state,) = variance_chain.variance_states(layers, 0.0, [depth])
    coarse, fine = (list(variance_chain._steps(layers, 0.0, level))[-1] for level in (0, 2))
    at = np.asarray(law(network).quantile(stats.norm.cdf(Z)))
    expected = fine.table(Transform.linear()).cdf(at)
    assert np.abs(law(network).cdf(at) - expected).max() < 1e-8
    assert state.error < 1e-8
    # and what is said of panels that are too coarse is so
    wrong = np.abs(coarse.table(Transform.linear()).cdf(at) - expected).max()
    assert 1e-7 < wrong < 2 * coarse.error


@pytest.mark.slow
def test_other_panels_give_one_law() -> None:
    layers = [(layer.phi, layer.units) for layer in Network(EXPLOSIVE, 64, 24, ONE, shaping=HALF).layers]
    coarse, fine = (list(variance_chain._steps(layers, 0.0, level))[-1] for level in (0, 1))
    assert max(coarse.lost, fine.lost) < 1e-10
    assert coarse.unexploded == pytest.approx(fine.unexploded, abs=1e-10)
    one, other = (each.table(Transform.linear()) for each in (coarse, fine))
    at = np.asarray(one.quantile(stats.norm.cdf(Z)))
    assert np.abs(one.cdf(at) - other.cdf(at)).max() < 1e-8


NETWORKS = {
    "relu": Network(ReluLike(), 8, 6, ONE),
    "slopes": Network(ReluLike(0.5, -0.5), (3, 20, 9), 3, ((2.0,),), shaping=HALF),
    "tanh": Network(Smooth.of("tanh"), 64, 20, ONE),
    "sigmoid": Network(Smooth.of("sigmoid", 1.0, 0.4), 40, 6, ((0.5,),)),
    "formula": Network(
        Smooth.of("x + x**3 / (3 + 3 * x**2)"), 32, 8, ((0.5,),), shaping=Shaping("width", 0.25)
    ),
    "explosive": Network(EXPLOSIVE, 64, 64, ONE, shaping=HALF),
    "unshaped softplus": Network(Smooth.of("softplus"), 300, 40, ONE),
    "uneven": Network(Smooth.of("softplus", 1.0, 1.0), (32, 64, 48) * 4, 12, ((3.0,),), shaping=HALF),
}
EVERYDAY = ("relu", "slopes", "tanh", "sigmoid")


@pytest.mark.parametrize(
    ("name", "count"),
    [
        *((name, 1 << 15) for name in EVERYDAY),
        *(pytest.param(name, 1 << 18, marks=pytest.mark.slow) for name in NETWORKS),
        *(pytest.param(name, 1 << 22, marks=pytest.mark.exhaustive) for name in NETWORKS),
    ],
)
def test_networks_follow_the_exact_law_of_their_variance(name: str, count: int) -> None:
    network = NETWORKS[name]
    drawn = simulate_block(network, [network.depth], 0, count)["log_variance"].astype(float).ravel()
    # all tests together at 1e-3; what is stored is float32
    bound = float(np.sqrt(np.log(2 * len(NETWORKS) / 1e-3) / (2 * count)))
    assert kolmogorov(law(network), drawn) < bound + 1e-6


def explosion(width: int, count: int) -> tuple[float, float]:
    """The exact probability of an explosion by layer n, and in how many standard errors networks differ."""
    network = Network(EXPLOSIVE, width, width, ONE, shaping=HALF)
    exact = LIMIT.explosion_probability(network, width)
    assert exact is not None
    drawn = simulate_block(network, [width], 0, count)["exploded_at"].ravel() >= 0
    return exact, float((drawn.mean() - exact) / np.sqrt(exact * (1 - exact) / count))


@pytest.mark.parametrize(
    ("width", "count"),
    [
        pytest.param(50, 1 << 15, marks=pytest.mark.slow),
        *(pytest.param(width, 1 << 20, marks=pytest.mark.exhaustive) for width in (50, 100, 200, 400)),
    ],
)
def test_as_many_finite_networks_explode_as_the_exact_law_says(width: int, count: int) -> None:
    exact, deviations = explosion(width, count)
    assert 0.05 < exact < 0.12
    assert abs(deviations) < 4


def test_what_has_exploded_at_the_start_or_cannot_is_told() -> None:
    network = Network(EXPLOSIVE, 16, 4, ((16.0,),), shaping=HALF)
    assert LIMIT.explosion_probability(network, 0) == 1
    small = Network(Smooth.of("tanh"), 32, 4, ONE, shaping=HALF)
    assert LIMIT.explosion_probability(small, 4) == pytest.approx(0, abs=1e-10)
    assert LIMIT.explosion_probability(Network(Smooth.of("tanh"), 32, 4, ONE), 4) is None
    assert LIMIT.explosion_probability(Network(ReluLike(), 32, 4, ONE), 4) is None


@pytest.mark.parametrize(
    ("phi", "width", "reason"),
    [(Smooth.of("tanh"), 8, "16 units or more"), (Smooth.of("tanh"), 2048, "1,024")],
)
def test_networks_that_it_is_not_for_are_refused(phi: Activation, width: int, reason: str) -> None:
    assert reason in str(LIMIT.refusal(Network(phi, width, 4, ONE), "log_variance"))


def test_a_step_that_is_not_resolved_is_refused() -> None:
    """Units of a steep activation take two values, and V' no more than n."""
    steep = Network(Smooth.of("tanh(40 * x)", 1.0, 0.02), 16, 3, ONE)
    with pytest.raises(InputError, match="saturate together"):
        law(steep)


def test_rows_that_are_kept_are_those_that_were_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_rows, "_folder", lambda: tmp_path / "rows")
    phi = Network(Smooth.of("tanh"), 40, 1, ONE).phi
    kernel = VarianceKernel(phi, 40)
    first = kernel.rows([-1])[-1]
    (kept,) = kept_rows.read(kernel._key, Rows).values()
    assert (kept.first, kept.values.tobytes()) == (first.first, first.values.tobytes())
