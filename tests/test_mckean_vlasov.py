"""Wide residual networks as a McKean-Vlasov process.

Unless a test says otherwise it is a statistical one with a false-alarm rate of 1e-4.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deeplimits.activations import ReluLike, Smooth
from deeplimits.engines.sde.residual_paths import residual_paths
from deeplimits.laws import PointMass
from deeplimits.limits import registry
from deeplimits.limits.resnet import hayou_sampled
from hayou_networks import RESNET


@pytest.mark.parametrize(
    ("slopes", "start"), [((1.0, 0.0), None), ((1.0, 0.0), 0.7), ((1.0, 0.0), -0.7), ((1.4, -0.5), -0.3)]
)
def test_wide_networks_are_a_mckean_vlasov_process(slopes: tuple[float, float], start: float | None) -> None:
    """600 units, 100 layers, 512 networks: means within 2 (1/n + 1/L), and a spread of order n^{−1/2}."""
    variance = 2.0 if start is None else start**2
    branch = ReluLike(slopes[0] - 1, slopes[1] - 1)
    network = replace(RESNET, activation=branch, width=600, gram=((variance,),), start=start)
    limit = registry()["mckean_vlasov"]
    paths = residual_paths(600, (100,), (0.0, 0.5, 1.0), 0, 512, slopes=slopes, variance=2.0, start=start)
    for observable in ("log_variance", "log_activation", "log_growth"):
        sample = hayou_sampled.observed(paths, 600, observable)[:, 0]
        laws = limit.laws(network, [0, 100, 200], observable)
        if start == -0.7 and observable != "log_variance":
            assert laws[0].mean == -np.inf or np.isnan(laws[0].mean)
            continue
        for record, law in enumerate(laws):
            spread = sample[:, record].std()
            error = 2 * (1 / 600 + 1 / 100) + 4.4 * spread / np.sqrt(512)
            assert abs(sample[:, record].mean() - law.mean) < error
            assert spread < 4 / np.sqrt(600)


def test_mckean_vlasov_of_relu() -> None:
    """Growth by e^{t/2} from a Gaussian start; a negative start stays where it is."""
    limit, network = registry()["mckean_vlasov"], replace(RESNET, width=600, gram=((2.0,),))
    assert [law.mean for law in limit.laws(network, [0, 200], "log_growth")] == pytest.approx([0.0, 0.25])
    output = limit.laws(network, [200], "output")[0]
    assert (output.mean, output.std) == pytest.approx((0.0, np.sqrt(2 * np.exp(0.5))))
    dead = replace(network, start=-2.0, gram=((4.0,),))
    assert limit.laws(dead, [200], "log_variance") == [PointMass(pytest.approx(np.log(4.0)))]


@pytest.mark.slow
def test_mckean_vlasov_of_a_smooth_branch() -> None:
    """dv/dt = E tanh(√v g)², against a particle system of 200,000 units: within 4.4 standard errors."""
    network = replace(RESNET, activation=Smooth.of("tanh"), gram=((1.5,),))
    law = registry()["mckean_vlasov"].laws(network, [100, 200], "log_variance")[1]
    generator = np.random.default_rng(4)
    x = generator.normal(0, np.sqrt(1.5), 200_000)
    for _ in range(200):
        x += np.sqrt(np.mean(np.tanh(x) ** 2) / 200) * generator.normal(size=len(x))
    # the particles' own mean square carries the noise of all steps, at most twice that of the last
    assert abs(np.log(np.mean(x**2)) - law.mean) < 2 * 4.4 * np.sqrt(2 / len(x)) + 1 / 400
