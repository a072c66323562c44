"""Sampled limits of perceptrons: the Markov chain and Euler schemes, against the theory and the exact laws."""

from __future__ import annotations

import numpy as np

from deeplimits.activations import ReluLike
from deeplimits.engines.sde.paths import chain_gaps, correlation_gaps, rescaled_correlations
from deeplimits.laws import kolmogorov, noise_floor
from deeplimits.limits import registry
from deeplimits.limits.mlp.unshaped import KAPPA
from deeplimits.networks.network import Network, Shaping

GRAM = ((1.0, 0.3), (0.3, 1.0))
SHAPED = Network(ReluLike(0.0, -1.0), 150, 150, GRAM, shaping=Shaping("width", 0.5))
UNSHAPED = Network(ReluLike(), 150, 150, GRAM)


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
