"""The second moment of the tangent kernel: its recursion, its limit, and networks with their gradients."""

from __future__ import annotations

import numpy as np
import pytest

from deeplimits.activations import ReluLike
from deeplimits.engines import simulate_block
from deeplimits.limits.mlp.tangent_kernel import limiting_second_moment, second_moment
from deeplimits.networks.network import Network


@pytest.mark.parametrize(("units", "depth"), [(4, 3), (16, 3), (1, 5), (100, 300)])
def test_the_closed_form_is_the_recursion(units: int, depth: int) -> None:
    between = [1.0]
    for k in range(depth):
        between.append((1 - 1 / units) * between[-1] + 2 / units * (1 + 5 / units) ** k)
    total = sum(
        (1 + 5 / units) ** (depth - abs(i - j)) * between[abs(i - j)]
        for i in range(depth + 1)
        for j in range(depth + 1)
    )
    assert second_moment(units, depth) == pytest.approx(total / (depth + 1) ** 2, rel=1e-12)


def test_known_values_and_the_limit() -> None:
    assert second_moment(16, 3) == pytest.approx(1.79517, abs=5e-6)
    assert second_moment(4, 3) == pytest.approx(6.89063, abs=5e-6)
    assert limiting_second_moment(0.25) == pytest.approx(2.659, abs=5e-4)
    errors = [second_moment(n, n // 4) - limiting_second_moment(0.25) for n in (1000, 2000)]
    assert errors[0] == pytest.approx(2 * errors[1], rel=0.01)


def kernels(network: Network, count: int) -> np.ndarray:
    """Σ V_ℓ G_{ℓ+1} of networks, whose norms and gradients are recorded at every layer."""
    layers = list(range(network.depth + 1))
    found = simulate_block(network, layers, 0, count, gradients=True)
    norms = np.exp(found["log_variance"].astype(float).reshape(count, -1))
    back = np.exp(found["gradient_log_norm"].astype(float).reshape(count, -1))
    back = np.nan_to_num(np.concatenate([back[:, 1:], np.ones((count, 1))], axis=1))
    return (norms * back).sum(axis=1)


@pytest.mark.parametrize(
    ("units", "count"),
    [
        (16, 1 << 16),
        pytest.param(16, 1 << 20, marks=pytest.mark.slow),
        pytest.param(4, 1 << 22, marks=pytest.mark.slow),
    ],
)
def test_networks_have_this_second_moment(units: int, count: int) -> None:
    drawn = kernels(Network(ReluLike(), units, 3, ((1.0,),)), count)
    assert abs(drawn.mean() - 4) < 4 * drawn.std() / np.sqrt(count)
    squares = drawn**2 / 16
    assert abs(squares.mean() - second_moment(units, 3)) < 4 * squares.std() / np.sqrt(count)
