"""Laws of Fokker–Planck equations against a second deterministic solver and against closed forms."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

from deeplimits.activations import Identity, ReluLike
from deeplimits.errors import InputError
from deeplimits.laws import PointMass, Transform
from deeplimits.limits import registry
from deeplimits.limits.mlp.unshaped import KAPPA
from deeplimits.limits.solvers import fokker_planck
from deeplimits.limits.solvers.fokker_planck import solve, solve_in_pieces
from deeplimits.limits.solvers.linear_sde import LinearSde
from deeplimits.limits.solvers.resolvents import Diffusion
from deeplimits.networks.network import Network, Shaping
from second_solver import LEVELS, check_quantiles, extrapolated

Array = NDArray[np.float64]
GRAM = ((1.0, 0.3), (0.3, 1.0))
SHAPED = Network(ReluLike(0.0, -1.0), 150, 150, GRAM, shaping=Shaping("width", 0.5))
UNSHAPED = Network(ReluLike(), 150, 150, GRAM)


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
    alone = limit.laws(network, [150], limit.observables[0])[0]
    among = limit.laws(network, range(10, 151, 10), limit.observables[0])[-1]
    np.testing.assert_array_equal(alone.quantile(LEVELS), among.quantile(LEVELS))


def two_normals(y: Array, start: float, time: float) -> Array:
    """P(Y_t ≤ y) for dY = tanh Y dt + dB: normal laws about start ± t, with the weights e^{±start}."""
    weight = 1 / (1 + np.exp(-2 * start))
    up, down = (ndtr((y - start - sign * time) / np.sqrt(time)) for sign in (1, -1))
    return np.asarray(weight * up + (1 - weight) * down)


@pytest.mark.parametrize("time", [0.001, 0.3, 20.0, 500.0])
@pytest.mark.parametrize("start", [-3.0, 0.0, 0.4, 20.0])
@pytest.mark.slow
def test_a_law_with_a_closed_form(start: float, time: float) -> None:
    """In 10⁻⁸ of probability at every level, and so in one piece of time or in three."""
    tanh = Diffusion(lambda y: (np.tanh(y), 1 / np.cosh(np.clip(y, -300.0, 300.0)) ** 2))
    levels = np.array([1e-4, 0.01, 0.1, 0.5, 0.9, 0.99, 1 - 1e-4])
    law = solve(tanh, start, [time], lambda _: Transform.linear())[0]
    np.testing.assert_allclose(two_normals(law.quantile(levels), start, time), levels, atol=1e-8)
    if time > 100:
        return
    parts = [(time / 3, tanh), (time / 2, tanh), (np.inf, tanh)]
    law = solve_in_pieces(parts, start, [time], lambda _: Transform.linear())[0]
    np.testing.assert_allclose(two_normals(law.quantile(levels), start, time), levels, atol=1e-8)


def test_a_start_far_down_a_steep_wall_is_forgotten() -> None:
    """In dw = dt − √2 w dB the mean is w_0 + t: from w_0 = 0, and from any small number."""
    sde = LinearSde(1.0, 0.0, 2.0)
    transform = Transform(np.log, np.exp, lambda w: 1 / w, low=0.0)
    transform = replace(
        transform,
        to_coordinate=lambda w: np.log(w) / sde.scale,
        from_coordinate=lambda y: np.exp(sde.scale * y),
    )
    at_once, near = (sde.laws(w0, [0.3], lambda _: transform)[0] for w0 in (0.0, 1e-9))
    assert at_once.mean == pytest.approx(0.3, rel=1e-6)
    np.testing.assert_allclose(at_once.quantile(LEVELS), near.quantile(LEVELS), rtol=1e-7)


SOLVED_ALONE = """
import hashlib, sys
from dataclasses import replace
from deeplimits.activations import ReluLike
from deeplimits.limits.together import marginals
from deeplimits.networks.network import Network, Shaping
shaped = Network(ReluLike(0.0, -1.0), 20, 30, ((1.0, 0.3), (0.3, 1.0)), shaping=Shaping("width", 0.5))
wide = replace(shaped, width=(20,) * 10 + (40,) * 20)
steep = replace(shaped, gram=((1.0, -0.999), (-0.999, 1.0)))
asked = [(network, [3, 10, 30], "correlation") for network in (shaped, wide, steep)]
chosen = asked if sys.argv[1] == "together" else [asked[int(sys.argv[1])]]
for laws in marginals("matched_sde", chosen):
    held = b"".join(array.tobytes() for law in laws for array in (law.nodes, law.cumulative, law.density_))
    print(hashlib.sha256(held).hexdigest())
"""


@pytest.mark.slow
def test_a_law_has_the_same_bytes_alone_and_together_on_any_number_of_threads() -> None:
    def solved(which: str, threads: int) -> list[str]:
        told = {**os.environ, "OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        command = [sys.executable, "-c", SOLVED_ALONE, which]
        return subprocess.run(command, env=told, capture_output=True, text=True, check=True).stdout.split()

    together = solved("together", 1)
    assert len(set(together)) == 3
    assert solved("together", 2) == together
    assert [*solved("2", 2), *solved("0", 1)] == [together[2], together[0]]


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


def test_a_law_that_cannot_be_solved_is_an_error_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fokker_planck, "_from_point", lambda *_: None)
    network = Network(
        ReluLike(1.5, -0.25), 64, 61, ((1.0, 0.125), (0.125, 1.0)), shaping=Shaping("width", 0.5)
    )
    with pytest.raises(InputError, match=r"correlation_sde.*can be solved here: a law after a time of"):
        registry()["correlation_sde"].marginals(network, [61], "correlation")
