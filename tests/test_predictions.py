"""The formulas that claims are held against, each against the definition of what it predicts."""

from __future__ import annotations

import numpy as np
import pytest

from deeplimits.limits import predictions
from deeplimits.limits.setting import Setting

GRAM = np.array([[1.0, 0.3, -0.2], [0.3, 1.5, 0.4], [-0.2, 0.4, 0.8]])


def relu_samples(rho: float, width: int, count: int) -> np.ndarray:
    """V of one ReLU layer, by its definition."""
    normals = np.random.default_rng(12).standard_normal((count, 2, width))
    normals[:, 1] = rho * normals[:, 0] + np.sqrt(1 - rho**2) * normals[:, 1]
    active = np.maximum(normals, 0)
    return 2 * active @ active.transpose(0, 2, 1) / width


@pytest.mark.parametrize("rho", [-0.5, 0.3, 0.9])
def test_formulas_for_one_layer_of_relu(rho):
    """Against its definition: five standard errors, 1e-6 each."""
    count, width = 1 << 17, 8
    samples = relu_samples(rho, width, count)
    setting = Setting(width, 1, 0.0, 0.0, -1.0, np.array([[1, rho], [rho, 1]]))
    first, second, cross = samples[:, 0, 0], samples[:, 1, 1], samples[:, 0, 1]

    def close(values: np.ndarray, expected: float) -> None:
        assert abs(values.mean() - expected) < 5 * values.std() / np.sqrt(count)

    kernel = predictions.relu_kernel_1(setting)
    assert predictions.exact_kernel(setting) == pytest.approx(kernel)
    close(cross, kernel)
    close((first - 1) * (second - 1), predictions.relu_kernel_2(setting))
    close((first - 1) * (cross - kernel), predictions.relu_kernel_31(setting))
    close((first - 1) ** 2, predictions.relu_fourth(setting))


def test_formulas_near_one_are_those_of_any_correlation():
    for x in (1e-2, 1e-3):
        setting = Setting(100, 1, 0.0, 0.0, -1.0, np.array([[1, 1 - x], [1 - x, 1]]))
        mean = predictions.step_mean(setting) - predictions.near_one_mean(setting)
        assert abs(mean) < x**3.5 + x**3 / 100
        assert predictions.near_one_variance(setting) / predictions.step_variance(setting) == pytest.approx(
            1, abs=3 * x
        )
        step = predictions.exact_kernel(setting) - predictions.infinite_width_near_one(setting)
        assert abs(step) < 0.1 * x**2.5


def test_noise_as_printed_and_as_it_is():
    """The Bessel process against half a million draws of it, to 5 standard errors; Σ Σᵀ against the matrix."""
    one = Setting(16, 8, 1.0, 0.0, 0.0, np.eye(1), ((0, 0), (0, 0)))
    assert predictions.linear_log_variance(one) == 1.0
    normals = np.sqrt(one.time) * np.random.default_rng(31).standard_normal((1 << 19, 3)) + [0.5, 0, 0]
    log_v = -np.log(2 * np.sqrt((normals**2).sum(axis=1)))
    deviations = (log_v - log_v.mean()) ** 2
    error = deviations.std() / np.sqrt(len(log_v))
    assert predictions.linear_log_variance_printed(one) == pytest.approx(deviations.mean(), abs=5 * error)
    assert (predictions.isserlis(one), predictions.isserlis_printed(one)) == (2 / 16, 4 / 16)
    pairs = [(a, b) for a in range(3) for b in range(a, 3)]
    sigma = 4 * np.array(
        [[predictions.isserlis(Setting(4, 1, 0.3, 0.5, -0.5, GRAM, (p, q))) for q in pairs] for p in pairs]
    )
    chosen = Setting(4, 1, 0.3, 0.5, -0.5, GRAM, (pairs[1], pairs[3]))
    assert predictions.isserlis_printed(chosen) == pytest.approx((sigma @ sigma.T)[1, 3] / 4)


def test_printed_formulas_differ_from_the_corrected_ones():
    gram = np.array([[1.0, 0.3], [0.3, 1.0]])
    shaped = Setting(100, 1, 0.3, 0.5, -0.5, gram, ((0, 1),))
    exact = predictions.exact_kernel(shaped)
    assert abs(predictions.shaped_step(shaped) - exact) < 1e-3
    assert abs(predictions.shaped_step_printed(shaped) - exact) > 5e-3
    assert predictions.ode_correlation(shaped) == pytest.approx(0.3829466571)
    assert predictions.resnet_covariance(shaped) == pytest.approx(0.6313722991)
    assert predictions.resnet_covariance_printed(shaped) == pytest.approx(0.3829466571)
