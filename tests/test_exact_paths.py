"""Laws of paths by the exact kernel: their marginals are those of one layer, and simulated networks follow them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deeplimits.activations import Identity, ReluLike
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.limits import registry
from deeplimits.limits.exact_paths import largest, two_times
from deeplimits.networks.network import Network, Shaping

PAIR = ((1.0, 0.3), (0.3, 1.0))
NETWORKS = {
    "one slope": Network(ReluLike(), 48, 6, PAIR),
    "linear": Network(Identity(), 16, 6, PAIR),
    "shaped": Network(ReluLike(0.5, -0.5), 32, 6, PAIR, shaping=Shaping("width", 0.5)),
}
PLACES = ((0.2, 0.4), (0.5, 0.5), (0.5, 0.8), (0.7, 0.3))
COUNT = 1 << 18
# twice as many bounds as there are numbers below, of a normal law: a false alarm of all together is 1e-3
DEVIATIONS = 4.5


@pytest.mark.parametrize("name", NETWORKS)
def test_marginals_are_those_of_one_layer(name: str) -> None:
    network = NETWORKS[name]
    joint = two_times(network, 2, 6)
    early, late = registry()["exact"].marginals(network, [2, 6], "correlation")
    for x in (0.2, 0.5, 0.8):
        assert joint.cdf(x, 1.0) == pytest.approx(float(early.cdf(x)), abs=1e-7)
        assert joint.cdf(1.0, x) == pytest.approx(float(late.cdf(x)), abs=1e-7)
        # of one layer the largest is the only one
        (first,) = registry()["exact"].marginals(network, [1], "correlation")
        assert largest(network, 1, [x])[0] == pytest.approx(float(first.cdf(x)), abs=3e-7)
    assert joint.cdf(0.5, 0.5) >= largest(network, 6, [0.5])[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_follow_them(name: str) -> None:
    network = NETWORKS[name]
    layers = [1, 2, 3, 4, 5, 6]
    drawn: Any = simulate_block(network, layers, 0, COUNT)["correlation_gap"]
    rho = 1 - np.asarray(drawn, float).reshape(COUNT, len(layers))
    joint = two_times(network, 2, 6)

    def near(found: float, expected: float) -> bool:
        return abs(found - expected) < DEVIATIONS * np.sqrt(expected * (1 - expected) / COUNT) + 1e-6

    for x, y in PLACES:
        assert near(((rho[:, 1] <= x) & (rho[:, 5] <= y)).mean(), joint.cdf(x, y))
    bounds = [0.5, 0.7, 0.9]
    for bound, expected in zip(bounds, largest(network, 6, bounds), strict=True):
        assert near((rho.max(axis=1) <= bound).mean(), expected)
    correlation = np.corrcoef(rho[:, 1], rho[:, 5])[0, 1]
    # the variance of a product of two standardised values, by the sample itself
    parts = (rho[:, [1, 5]] - rho[:, [1, 5]].mean(axis=0)) / rho[:, [1, 5]].std(axis=0)
    influence = parts[:, 0] * parts[:, 1] - correlation / 2 * (parts**2).sum(axis=1)
    assert abs(correlation - joint.correlation()) < DEVIATIONS * influence.std() / np.sqrt(COUNT)


def test_other_layers_and_networks_are_refused() -> None:
    with pytest.raises(InputError, match="early < late"):
        two_times(NETWORKS["linear"], 3, 3)
    with pytest.raises(InputError):
        two_times(Network(ReluLike(), 4, 6, PAIR), 1, 2)
    with pytest.raises(InputError, match="one width"):
        largest(Network(ReluLike(), (32, 48), 2, PAIR), 2, [0.5])
