"""Networks off the papers' paths: every answer is a number that networks keep to, or a sentence, in seconds."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

import deeplimits
from deeplimits import gaussian
from deeplimits.activations import Identity, ReluLike, Smooth
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.laws import kolmogorov
from deeplimits.limits import registry
from deeplimits.limits.along import along
from deeplimits.limits.fluctuations import spreads
from deeplimits.limits.solvers.compound import convolved, log_chi_square
from deeplimits.networks.network import Gram, Network, Shaping

TANH, SILU = Smooth.of("tanh"), Smooth.of("silu")
HALF = Shaping("width", 0.5)


@pytest.fixture(autouse=True)
def no_warning():
    """Not one of NumPy."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def pair(rho: float, first: float = 1.0, second: float = 1.0) -> Gram:
    between = rho * float(np.sqrt(first * second))
    return ((first, between), (between, second))


def residual(phi, width=16, depth=8, gram=None, branch=0.5) -> Network:
    return Network(phi, width, depth, gram or pair(0.3), architecture="resnet", branch_exponent=branch)


@pytest.mark.slow
@pytest.mark.parametrize("phi", [ReluLike(), TANH, Identity()], ids=str)
@pytest.mark.parametrize("branch", [0.0, 0.5])
def test_fluctuations_do_not_depend_on_how_near_inputs_are(phi, branch) -> None:
    """The relative fluctuation of 1 − |ρ| of a residual network tends to a number as |ρ| → 1; 1 − ρ itself is small."""
    signs = (1.0,) if isinstance(phi, ReluLike) else (1.0, -1.0)
    for sign in signs:
        found = [
            spreads(residual(phi, gram=pair(sign * (1 - gap)), branch=branch), 8)[8].covariance[2, 2]
            for gap in (1e-4, 1e-7, 1e-12, 1e-15)
        ]
        assert found == pytest.approx([found[0]] * 4, rel=0.01)
    law = deeplimits.limit(
        residual(phi, gram=pair(1 - 1e-12), branch=branch), name="infinite_width_fluctuations"
    )
    assert law.quantile(1e-4) > 1 - 1e-8


def test_fluctuations_of_nearly_equal_inputs_are_those_of_networks() -> None:
    network = residual(TANH, 64, 8, pair(1 - 1e-4), 0.25)
    law = deeplimits.limit(network, "rescaled_correlation", "infinite_width_fluctuations")
    gaps = simulate_block(network, [8], 0, 4096)["correlation_gap"][:, 0, 0].astype(float)
    assert kolmogorov(law, np.log(64 * gaps)) < law.about.error + 0.03


@pytest.mark.parametrize("phi", [SILU, ReluLike(0.3, -0.5)], ids=str)
def test_antipodal_inputs_stay_where_the_activation_is_odd_alone(phi) -> None:
    """The limit p > ½ keeps ρ = −1; of a finite network that is exact for an odd activation, and for no other."""
    network = Network(phi, 16, 4, pair(-1.0), shaping=Shaping("width", 1.0))
    assert deeplimits.limit(network, name="linear").about.error == 1
    for odd in (TANH, ReluLike(0.3, 0.3)):
        law = deeplimits.limit(replace(network, activation=odd), name="linear")
        assert (law.mean, law.about.error) == (-1, 0)


def test_what_float64_does_not_hold_is_had_in_logarithms_or_refused() -> None:
    steep = residual(ReluLike(1e4, 1e3), 64, 64, branch=0.0)
    with pytest.raises(InputError, match="layer before 41, from which on float64 does not hold V"):
        deeplimits.limit(steep)
    # the mean growth of its gradients is known all the same: Σ log(1 + (s₊² + s₋²)/2)
    growth = deeplimits.limit(steep, "gradient_log_norm", layer=0).mean
    assert growth == pytest.approx(64 * np.log1p((10_001.0**2 + 1001.0**2) / 2), rel=1e-9)
    closed = deeplimits.limit(residual(ReluLike(0.0, -1000.0)), "log_variance").mean
    assert closed == pytest.approx((1 + 999.0**2) / 2)
    with pytest.raises(InputError, match="float64 does not hold"):
        deeplimits.limit(residual(ReluLike(0.0, -1000.0)), "output")
    # V_0 = 1 stays where it is, whatever β t is
    bent = Network(Smooth.of("sqrt(1+x**2)-1+0.01*x", 0.1), 16, 32, ((1.0,),), shaping=Shaping("width", 0.26))
    assert deeplimits.limit(bent, "variance", "covariance_ode").mean == 1


EXPLOSIVE = Smooth.of("sqrt(1+x**2)-1+0.01*x", 0.1)
UNSOLVED = [
    ("correlation_1_2", None, Network(EXPLOSIVE, 16, 32, ((4.0, 2, 2), (2, 1.5, 1), (2, 1, 1.2)), shaping=Shaping("width", 0.26))),
    ("variance", "matched_variance", Network(EXPLOSIVE, 16, 32, ((4.0,),), shaping=Shaping("width", 0.26))),
    ("log_variance", "matched_variance", Network(Smooth.of("1/(1+exp(-8*x))", 1.0, -3.0), 16, 1, ((0.5,),), shaping=Shaping("width", 0.45))),
    ("correlation", None, Network(Smooth.of("x + 0.1*x**2", 2.0, 0.5), 4, 8, pair(0.999999, 1e-3, 1e3), shaping=Shaping("width", 0.45))),
    ("covariance", "covariance_sde", Network(Identity(), 2, 10_000, pair(0.3))),
    ("correlation", "markov_chain", Network(ReluLike(), 64, 20_000, pair(0.3))),
    ("log_growth", "hayou_sde", residual(TANH, 10_000, 400)),
    ("output", "mckean_vlasov", replace(residual(ReluLike()), depth=16)),
]  # fmt: skip


@pytest.mark.parametrize("index", range(len(UNSOLVED)))
def test_what_cannot_be_solved_is_a_sentence(index: int) -> None:
    """With what could be asked in its place."""
    observable, name, network = UNSOLVED[index]
    layer = 8 if observable == "output" else None
    with pytest.raises(
        InputError, match=r"other limits of this network|limits of this network: |of the last layer"
    ):
        deeplimits.limit(network, observable, name, layer)


@pytest.mark.slow
def test_expectations_stop_at_what_an_answer_may_cost() -> None:
    """By the points that they evaluate, on every machine alike, and with where they stopped."""
    steep = Network(
        Smooth.of("x + sin(5*x)", 0.01), 32, 64, ((1e3, 0.0), (0.0, 10.0)), shaping=Shaping("width", 0.45)
    )
    with pytest.raises(InputError, match=r"before layer \d+, .* it takes longer than an answer may"):
        deeplimits.limit(steep, "rescaled_correlation")
    with gaussian.bounded(1e3), pytest.raises(gaussian.Unreachable):
        gaussian.mean(steep.phi, [gaussian.SQUARE], 1e4)


def test_deep_recursions_are_had_at_a_few_layers() -> None:
    """20,000 layers are within what an answer may cost; a few layers give the numbers of all."""
    law = deeplimits.limit(Network(TANH, 10_000, 20_000, pair(0.3)), "covariance")
    assert law.std == pytest.approx(0.0272949, rel=1e-4)
    exact = np.exp(-np.arange(5000) / 700)[:, None] * np.array([1.0, 1e-9])
    asked: list[int] = []

    def function(layer: int) -> np.ndarray:
        asked.append(layer)
        return exact[layer]

    assert along(function, 5000) == pytest.approx(exact, rel=1e-6)
    assert len(asked) < 500


def test_a_sum_is_the_same_over_either_variable() -> None:
    """A narrow variable plus a wide Gaussian one, at the width where the sum changes sides."""
    base = log_chi_square(4)
    one, other = convolved(base, 1.0, 0.0, 29.9 * base.length), convolved(base, 1.0, 0.0, 30.1 * base.length)
    levels = np.array([1e-4, 0.05, 0.5, 0.95, 1 - 1e-4])
    assert one.quantile(levels) / 29.9 == pytest.approx(other.quantile(levels) / 30.1, abs=5e-3)
    mean, variance = one.mean, other.std**2
    assert mean == pytest.approx(-0.270363, abs=1e-3)  # ψ(2) − log 2
    assert variance == pytest.approx(0.644934 + (30.1 * base.length) ** 2, rel=1e-6)  # ψ'(2)


def test_a_correlation_is_not_below_minus_one() -> None:
    """The entrance law puts 1 − ρ above 2 with a small probability: that is at −1."""
    law = deeplimits.limit(Network(ReluLike(0.5, -0.5), 8, 2, pair(-0.9)), name="unshaped_entrance")
    assert law.quantile(1e-6) == -1
    assert law.below(-1.0) == 0
    assert law.cdf(-1.0) == pytest.approx(law.mass(-1.0)) and law.mass(-1.0) > 0.1
    values = law.quantile((np.arange(20_000) + 0.5) / 20_000)
    assert law.mean == pytest.approx(values.mean(), abs=1e-3)


def test_moments_of_widely_spread_correlations() -> None:
    """E ρ for artanh ρ ~ N(m, σ²) with σ far beyond 1 is 2 Φ(m / σ) − 1 and a little."""
    from deeplimits.laws.mapped import MappedNormal
    from deeplimits.limits.mlp.correlation import CORRELATION_TRANSFORM

    for scale in (30.0, 3e3, 1e8):
        law = MappedNormal(0.4 * scale, scale, CORRELATION_TRANSFORM)
        assert law.mean == pytest.approx(0.3108435, abs=2e-4)


@pytest.mark.slow
def test_limits_state_no_more_than_they_know() -> None:
    """Steep activations whose units all but have the values ±1, in few units, and far from their limit."""
    sign = Network(Smooth.of("sigmoid", 0.01), 3, 16, pair(-0.3, 1e-8, 1e-8), shaping=Shaping("width", 0.6))
    found = simulate_block(sign, [16], 0, 4096)
    values = {
        "log_variance": found["log_variance"][:, 0, 0],
        "correlation": 1 - found["correlation_gap"][:, 0, 0].astype(float),
    }
    for observable, each in values.items():
        for name in ("linear", "variance", "infinite_width_fluctuations"):
            if registry()[name].refusal(sign, observable) is None:
                law = deeplimits.limit(sign, observable, name)
                assert kolmogorov(law, each) < law.about.error + 0.03, (observable, name)


@pytest.mark.slow
def test_what_underflows_is_not_said_to_bend() -> None:
    with pytest.raises(deeplimits.InputError, match="powers of the activation underflow float64"):
        deeplimits.limit(Network(TANH, 8, 4, ((1e-100,),)), "log_variance")
