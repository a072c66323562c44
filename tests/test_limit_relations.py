"""What laws of one limit have to do with one another: densities with distribution functions, V with log V, r with ρ, the
covariance with both, and inputs of one direction with any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from deeplimits.activations import ReluLike, Smooth
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.laws import Law
from deeplimits.limits import registry
from deeplimits.limits.base import Limit
from deeplimits.limits.coefficients import is_odd
from deeplimits.networks.network import Network, Shaping
from limit_networks import NETWORKS, pair
from tiers import everyday

LEVELS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
SLOW = ("exact", "exact_variance", "mckean_vlasov")
ALWAYS = {"resnet exotic", "resnet one unit relu", "resnet linear", "softplus p=1/2 V=2.0", "arctan p=1/5"}


def chosen(fewest_inputs: int) -> list[str]:
    """Names of networks with so many inputs, a few for every day."""
    each = [name for name, network in NETWORKS.items() if network.inputs >= fewest_inputs]
    return [*sorted(ALWAYS.intersection(each)), *everyday([name for name in each if name not in ALWAYS], 40)]


def solved(network: Network) -> Iterator[tuple[Limit, int, dict[str, Law]]]:
    """Limits without a sample, and their laws at the first layer and at the last one."""
    for limit, layer in product(registry().values(), (1, network.depth)):
        if limit.kind == "sampled" or limit.name in SLOW:
            continue
        laws = {}
        for observable in limit.observables:
            if limit.refusal(network, observable) is None:
                try:
                    (laws[observable],) = limit.marginals(network, [layer], observable)
                except InputError:  # it cannot be solved, and says so
                    continue
        if laws:
            yield limit, layer, laws


@pytest.mark.parametrize("name", chosen(1))
def test_laws_of_one_limit_agree(name: str) -> None:
    network = NETWORKS[name]
    for limit, layer, laws in solved(network):
        where = f"{limit.name} of {name} at layer {layer}"
        at = {observable: np.asarray(law.quantile(LEVELS), float) for observable, law in laws.items()}
        for observable, law in laws.items():
            check_density(law, at[observable], f"{observable}, {where}")
        if "variance" in at and "log_variance" in at:
            np.testing.assert_allclose(at["variance"], np.exp(at["log_variance"]), rtol=1e-6, err_msg=where)
        if "correlation" in at and "rescaled_correlation" in at:
            gaps = np.exp(at["rescaled_correlation"][::-1]) / layer**2
            rhos = np.maximum(1 - gaps, -1.0)
            np.testing.assert_allclose(at["correlation"], rhos, rtol=1e-6, atol=1e-6, err_msg=where)
        if limit.is_number("covariance") and {"correlation", "variance", "covariance"} <= set(laws):
            (other,) = limit.marginals(network, [layer], "variance_1")
            norm = np.sqrt(at["variance"] * np.asarray(other.quantile(LEVELS)))
            np.testing.assert_allclose(at["covariance"], at["correlation"] * norm, rtol=1e-9, err_msg=where)


@pytest.mark.parametrize("name", chosen(1))
def test_laws_begin_where_the_inputs_are(name: str) -> None:
    """At layer 0 of a perceptron, whichever layers are asked for beside it; the exact laws too."""
    network = NETWORKS[name]
    first = network.gram[0][0]
    starts = {"variance": first, "log_variance": np.log(first)}
    if network.inputs > 1:
        starts |= {"correlation": 1 - network.gap(), "covariance": network.gram[0][1]}
    for limit in registry().values():
        for observable, start in starts.items():
            if network.residual or limit.kind == "sampled" or limit.refusal(network, observable) is not None:
                continue
            try:
                begun, *later = limit.marginals(network, [0, 1], observable)
            except InputError:  # it cannot be solved, and says so
                continue
            assert float(begun.std) == 0, limit.name
            assert float(begun.mean) == pytest.approx(float(start), abs=1e-12), limit.name
            assert len(later) == 1
            assert [float(law.mean) for law in limit.marginals(network, [0], observable)] == [begun.mean]


@pytest.mark.parametrize("rho", [1.0, -1.0])
@pytest.mark.parametrize("name", chosen(2))
def test_inputs_of_one_direction_keep_it(name: str, rho: float) -> None:
    """Of one length, and antipodal ones where the activation is odd; in every limit of the network and at every layer."""
    network = NETWORKS[name]
    variance = network.gram[0][0]
    network = replace(network, gram=pair(rho, variance, variance))
    if rho == 1 or is_odd(network):
        for limit in registry().values():
            if limit.kind != "sampled" and limit.refusal(network, "correlation") is None:
                laws = limit.marginals(network, [0, 1, network.depth], "correlation")
                assert {(float(law.mean), float(law.std)) for law in laws} == {(rho, 0.0)}, limit.name


def check_density(law: Law, at: np.ndarray, where: str) -> None:
    """The density is the slope of the distribution function between the quantiles."""
    # a number, or so nearly one that differences are nothing but rounding
    if not np.isfinite(at).all() or at[-1] - at[0] <= 1e-6 * np.abs(at).max():
        return
    inside, h = at[1:-1], 1e-3 * np.minimum(np.diff(at)[1:], np.diff(at)[:-1])
    density = np.asarray(law.density(inside))
    slope = (np.asarray(law.cdf(inside + h)) - np.asarray(law.cdf(inside - h))) / (2 * h)
    # an atom, or no density
    known = ~np.isnan(density) & (h > 0)
    np.testing.assert_allclose(density[known], slope[known], rtol=1e-3, err_msg=where)


@pytest.mark.parametrize("name", chosen(1))
def test_a_warning_is_a_sentence_or_none_at_every_layer(name: str) -> None:
    network = NETWORKS[name]
    for limit in registry().values():
        for observable in limit.observables:
            if limit.kind != "sampled" and limit.refusal(network, observable) is None:
                told = [limit.warning(network, layer, observable) for layer in (0, 1, network.depth)]
                assert all(each is None or len(each) > 20 for each in told), limit.name
                # nothing has happened yet, but to a gradient, which has been through all layers
                assert told[0] is None or limit.name == "gradient_growth", limit.name


@pytest.mark.parametrize(("widths", "depth"), [(8, 24), (8, 4), ((8, 12) * 6, 12)], ids=str)
def test_the_exact_law_tells_how_many_networks_it_leaves_out(
    widths: int | tuple[int, ...], depth: int
) -> None:
    """At least as many as die, of 2¹⁶, to 4 standard errors, and no more than one and a half times as many."""
    network = Network(ReluLike(), widths, depth, pair(-0.3))
    told = registry()["exact"].warning(network, depth, "correlation")
    assert told is not None
    most = float(told.partition("up to ")[2].partition(" of all")[0])
    dead = ~np.isfinite(simulate_block(network, [depth], 0, 1 << 16)["log_variance"][:, 0]).all(axis=1)
    error = 4 * dead.std() / 256
    assert dead.mean() - error < most < 1.5 * (dead.mean() + error)


@pytest.mark.parametrize("variance", [0.5, 2.0])
@pytest.mark.parametrize(
    "phi", [Smooth.of("softplus", 1.0, -1.0), Smooth.of("softplus", 1.0, 1.0), ReluLike(0.5, -0.5)], ids=str
)
def test_what_explodes_is_what_a_law_has_at_infinity(phi: Smooth | ReluLike, variance: float) -> None:
    """At each time, whichever limit tells, and in the end at least as much: of x₀ < log 7/4 alone."""
    network = Network(phi, 48, 48, ((variance,),), shaping=Shaping("width", 0.5))
    for name in ("smooth_variance", "matched_variance", "variance"):
        limit = registry()[name]
        if limit.refusal(network, "variance") is not None:
            continue
        (law,) = limit.marginals(network, [network.depth], "variance")
        found = limit.explosion_probability(network, network.depth)
        ever = limit.explosion_probability_ever(network)
        assert (found is None) == (ever is None) == network.piecewise_linear, name
        if found is not None and ever is not None:
            assert found == pytest.approx(law.mass(np.inf), abs=1e-9)
            assert 0 <= found <= ever <= 1
            assert (ever > 0.01) == (isinstance(phi, Smooth) and phi.center < np.log(7 / 4))
            # far out, on the way to infinity
            x = np.asarray(law.quantile((1 - law.mass(np.inf)) * (1 - 10.0 ** -np.arange(1, 8))))
            slope = (np.asarray(law.below(1.001 * x)) - np.asarray(law.below(0.999 * x))) / (0.002 * x)
            np.testing.assert_allclose(law.density(x), slope, rtol=1e-3)
