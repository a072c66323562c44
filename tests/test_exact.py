"""The exact law of finite networks and the one to second order, against oracles of other kinds: Fisher's density, another
grid, units drawn one by one, simulated networks, and each other.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import gammaln, hyp2f1

from deeplimits.activations import Identity, ReluLike, Slopes
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.laws import Law, kolmogorov
from deeplimits.limits import exact_chain, kept_rows, one_sided, one_sided_rows, registry, transition_rows
from deeplimits.limits.fisher import density as linear_density
from deeplimits.limits.step_moments import step
from deeplimits.limits.transition import density, window
from deeplimits.networks.network import Network, Shaping

HALF = Shaping("width", 0.5)
SYMMETRIC, ONE_SIDED = ReluLike(0.5, -0.5), ReluLike(0.0, -1.0)
LEVELS = np.linspace(0.0005, 0.9995, 1999)


def pair(rho: float) -> tuple[tuple[float, float], tuple[float, float]]:
    return ((1.0, rho), (rho, 1.0))


def shaped(phi: ReluLike, width: int, depth: int, rho: float = 0.3) -> Network:
    return Network(phi, width, depth, pair(rho), shaping=HALF)


def law(name: str, network: Network, observable: str = "correlation") -> Law:
    return registry()[name].marginals(network, [network.depth], observable)[0]


def apart(one: Law, other: Law) -> float:
    at = np.concatenate([one.quantile(LEVELS), other.quantile(LEVELS)])
    return float(np.abs(one.cdf(at) - other.cdf(at)).max())


def fisher(y: np.ndarray, y0: float, units: int) -> np.ndarray:
    """Density of artanh of the correlation of n pairs without centring, of normals correlated by tanh ``y0``."""
    n = units + 1
    log_sech, start = -np.logaddexp(y, -y) + np.log(2), -np.logaddexp(y0, -y0) + np.log(2)
    # 1 − ρ r = cosh(y − y0) / (cosh y cosh y0)
    beside = np.logaddexp(y - y0, y0 - y) - np.log(2) + log_sech + start
    constant = np.log(n - 2) + gammaln(n - 1) - 0.5 * np.log(2 * np.pi) - gammaln(n - 0.5)
    exponent = constant + (n - 1) * start + (n - 2) * log_sech - (n - 1.5) * beside
    return np.exp(exponent) * hyp2f1(0.5, 0.5, n - 0.5, (np.tanh(y) * np.tanh(y0) + 1) / 2)


@pytest.mark.parametrize("units", [8, 64, 1024])
@pytest.mark.parametrize("rho", [-0.99, 0.0, 0.9, 0.999])
def test_linear_rows_are_fishers_density(units: int, rho: float) -> None:
    linear, y0 = Slopes(1, 1), float(np.arctanh(rho))
    found = window(step(linear, np.array([y0])), y0, linear, units)
    y = np.linspace(y0 - found.below, y0 + found.above, 82)[1:-1]
    expected = fisher(y, y0, units)
    assert np.abs(density(linear, units, y0, y) - expected).max() <= 1e-9 * expected.max()


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_the_closed_form_of_narrow_linear_layers_is_what_quadrature_finds(rho: float) -> None:
    for units in (4, 6, 9):
        y = np.linspace(-5, 6, 50)
        expected = linear_density(units, float(np.arctanh(rho)), y)
        found = density(Slopes(1, 1), units, float(np.arctanh(rho)), y)
        assert np.abs(found - expected).max() <= 1e-9 * expected.max()


@pytest.mark.parametrize("units", [4, 7])
def test_rows_of_narrow_linear_layers_are_fishers_density(units: int) -> None:
    """Also where the quadrature of other layers is within 1e-6 alone."""
    kernel = transition_rows.Transition(Slopes(1, 1), units)
    for rho in (-0.99, 0.0, 0.999, 1 - 1e-12):
        y0 = float(np.arctanh(rho))
        row = kernel.row(y0)
        z = kernel.grid.z(row.first + np.arange(float(len(row.values))))
        expected = fisher(z, y0, units)
        assert np.abs(row.values - expected).max() <= 1e-9 * expected.max()
        assert abs(row.values.sum() * kernel.grid.step - 1) < 1e-9


@pytest.mark.parametrize("units", [4, 8, 16])
@pytest.mark.parametrize("end", [1, -1])
def test_tails_of_a_step_have_three_digits(units: int, end: int) -> None:
    """1 − ρ down to 1e-12 and up to 2 − 1e-9, against Fisher's density, wherever a tail is above 1e-7."""
    gap = 1e-10 if end > 0 else 2e-8
    network = Network(Identity(), units, 1, pair(end * (1 - gap)))
    rescaled, plain = law("exact", network, "rescaled_correlation"), law("exact", network)
    y0 = end * 0.5 * float(np.log((2 - gap) / gap))
    points, weights = np.polynomial.legendre.leggauss(24)
    compared = 0
    for left in (1e-12, 1e-11, 1e-10, 1e-9, 1e-8):
        beyond = end * 0.5 * np.log((2 - left) / left) + end * (np.arange(40)[:, None] + (points + 1) / 2)
        tail = float((fisher(beyond.ravel(), y0, units).reshape(40, -1) @ weights).sum() / 2)
        if not 1e-7 < tail < 0.999 or (end < 0 and left < 1e-9):
            continue
        compared += 1
        place = np.log(left if end > 0 else 2 - left)
        found = [float(rescaled.cdf(place)), 1 - float(plain.cdf(1 - left))]
        if end < 0:
            found = [1 - found[0], float(plain.cdf(-1 + left))]
        assert np.allclose(found, tail, rtol=1e-3, atol=0)
    assert compared >= 2


@pytest.mark.parametrize(
    ("units", "rho"),
    [(48, 0.99), (256, 0.3)]
    + [pytest.param(units, rho, marks=pytest.mark.slow) for units in (16, 24) for rho in (0.0, 0.6, 0.99)]
    + [
        pytest.param(units, rho, marks=pytest.mark.exhaustive)
        for units in (8, 12, 32, 64, 128, 1024)
        for rho in (0.0, 0.3, 0.9, 0.9999, 1 - 1e-12)
    ],
)
def test_nothing_is_lost_where_inputs_die(units: int, rho: float) -> None:
    """What has a density and what has none are had in different ways."""
    kernel, y = transition_rows.Transition(Slopes(1, 0), units), float(np.arctanh(rho))
    fates = kernel.fates(np.array([y]))
    for row in (kernel.row(y), kernel.row_of_kernel(y)):
        mass = row.values.sum() * kernel.grid.step
        assert abs(mass + fates.apart[0] + fates.equal[0] - fates.alive[0]) < 1e-8


@pytest.mark.parametrize("units", [48, pytest.param(16, marks=pytest.mark.slow)])
def test_rows_of_one_side_are_those_made_by_themselves(
    units: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_rows, "_folder", lambda: tmp_path / "rows")
    kernel = one_sided_rows.OneSided(units)
    at = np.linspace(1e-3, 8, 800)
    for y in (0.0, 0.4, 1.3, 2.9, 6.1):
        wrong = kernel.row(y, at) - one_sided.density(units, y, at)
        # in probability; towards 0 a density is as uncertain as its place
        assert np.abs(np.cumsum(wrong)).max() * (at[1] - at[0]) < 3e-8
    # what is kept is all of it
    again = one_sided_rows.OneSided(units)
    monkeypatch.setattr(one_sided_rows, "densities", None)
    assert again.row(0.4, at).tobytes() == kernel.row(0.4, at).tobytes()
    # beyond any rounding of ρ the law of y' − y is one
    assert np.allclose(kernel.row(300.0, 300.0 + at), kernel.row(40.0, 40.0 + at), rtol=1e-9, atol=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize("units", [16, 64])
def test_many_layers_in_which_inputs_die_lose_nothing(units: int) -> None:
    (state,) = exact_chain.states([(Slopes(1, 0), units)] * 200, float(np.arctanh(0.3)), [200])
    assert state.lost < 1e-8
    assert state.masses.min() > -1e-8
    assert np.isfinite(state.masses).all()
    # no noise has gone outward: the largest of all is about the 1e-13 quantile
    assert len(state.masses) * state.grid.step < 120


def test_where_all_inputs_are_equal_the_law_is_a_number() -> None:
    network = Network(ReluLike(), 8, 1500, pair(0.3))
    assert law("exact", network).atoms == ((1.0, 1.0),)
    assert law("exact", network, "rescaled_correlation").atoms == ((-np.inf, 1.0),)


def test_rows_far_out_are_one_row() -> None:
    """Where 1 − ρ is below all rounding of ρ the law of y' − y is one."""
    for slopes in (Slopes(1, 0.5), Slopes(1, -0.4), Slopes(1, -1)):
        kernel = transition_rows.Transition(slopes, 8)
        for y in (19.0, 21.0, 40.0, 300.0):
            row = kernel.row(y)
            assert abs(row.values.sum() * kernel.grid.step - 1) < 1e-8
            place = kernel.grid.y(kernel.grid.z(row.first + np.arange(float(len(row.values)))))
            mean = (row.values @ (place - y)) * kernel.grid.step
            assert mean == pytest.approx(float(step(slopes, np.array([19.0])).moved[0]), abs=0.2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "distance"),
    [
        (Network(ReluLike(0.0, -0.4), 24, 3, pair(0.3)), 1e-8),
        (Network(ReluLike(), 16, 3, pair(0.3)), 1e-7),
        (Network(ReluLike(), 48, 3, pair(0.3)), 1e-8),
        (Network(ReluLike(0.5, -0.5), (32, 64, 48, 32), 4, pair(0.3)), 1e-8),
        (Network(ReluLike(0.0, -0.4), (16, 256, 24), 3, pair(0.3)), 1e-8),
        (Network(ReluLike(1.0, 0.5), (256, 16), 2, pair(0.3)), 1e-8),
    ],
    ids=["two slopes", "narrow", "one slope", "uneven", "narrow, then wide", "wide, then narrow"],
)
def test_two_grids_give_one_law(network: Network, distance: float, monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = law("exact", network)
    monkeypatch.setattr(transition_rows, "_STEP", 0.4)
    transition_rows.transition.cache_clear()
    exact_chain._walk.cache_clear()
    try:
        assert apart(coarse, law("exact", network)) < distance
    finally:
        transition_rows.transition.cache_clear()
        exact_chain._walk.cache_clear()


@pytest.mark.parametrize("rho", [0.3, -0.5])
def test_atoms_are_those_of_units_drawn_one_by_one(rho: float) -> None:
    units, count = 5, 400_000
    u, other = np.random.default_rng(3).standard_normal((2, count, units))
    a, b = u > 0, rho * u + np.sqrt(1 - rho**2) * other > 0
    alive = a.any(axis=1) & b.any(axis=1)
    together = (a & b).sum(axis=1)
    drawn = [alive, alive & (together == 0), (together == 1) & ((a | b).sum(axis=1) == 1)]
    fates = transition_rows.Transition(Slopes(1, 0), units).fates(np.array([np.arctanh(rho)]))
    for found, expected in zip(drawn, (fates.alive, fates.apart, fates.equal), strict=True):
        p = float(expected[0])
        assert abs(float(found.mean()) - p) < 4.5 * np.sqrt(p * (1 - p) / count)


NETWORKS = {
    "linear": Network(Identity(), 16, 16, pair(0.3)),
    "linear, narrow": Network(Identity(), 4, 6, pair(0.3)),
    "shaped": shaped(SYMMETRIC, 16, 16),
    "unshaped": Network(ReluLike(), 64, 20, pair(0.3)),
    "uneven": Network(ReluLike(0.0, -0.4), (32, 64, 48, 32), 4, pair(0.3)),
    "opposite": Network(ReluLike(0.0, -1.6), 32, 12, pair(0.1)),
    "near one": shaped(ONE_SIDED, 32, 32, 0.999999),
    "narrow": Network(ReluLike(), 16, 8, pair(0.3)),
    "half": Network(ReluLike(0.0, -0.5), 12, 10, pair(-0.5)),
    "few": Network(ReluLike(), 24, 12, pair(-0.4)),
    "deep": Network(ReluLike(), 150, 150, pair(0.3)),
    "wide": shaped(SYMMETRIC, 256, 64, -0.9),
}
EVERYDAY = ("shaped", "linear, narrow")


def correlations(network: Network, count: int) -> np.ndarray:
    gap = simulate_block(network, [network.depth], 0, count)["correlation_gap"].astype(float).ravel()
    return 1 - gap[~np.isnan(gap)]


def bound(count: int) -> float:
    """What a sample may be from its own law, by Dvoretzky, Kiefer, Wolfowitz and Massart: all tests together at 1e-3."""
    return float(np.sqrt(np.log(2 * len(NETWORKS) / 1e-3) / (2 * count)))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        *((name, 1 << 16) for name in EVERYDAY),
        *(pytest.param(name, 1 << 18, marks=pytest.mark.slow) for name in NETWORKS),
        *(pytest.param(name, 1 << 24, marks=pytest.mark.exhaustive) for name in NETWORKS),
    ],
)
def test_networks_follow_the_exact_law(name: str, count: int) -> None:
    exact = law("exact", NETWORKS[name])
    drawn = correlations(NETWORKS[name], count)
    if name in ("narrow", "few"):
        # equal inputs are so to rounding
        drawn = np.where(drawn > 1 - 1e-6, 1.0, drawn)
    # what is stored is float32, which moves a correlation by 6e-8 of 1 − ρ
    assert kolmogorov(exact, drawn) < bound(len(drawn)) + 1e-6


def test_a_law_of_first_order_is_told_apart() -> None:
    drawn = correlations(NETWORKS["shaped"], 1 << 18)
    assert kolmogorov(law("matched_sde", NETWORKS["shaped"]), drawn) > bound(len(drawn))


@pytest.mark.parametrize(
    ("phi", "width"),
    [
        (SYMMETRIC, 16),
        *(pytest.param(SYMMETRIC, width, marks=pytest.mark.slow) for width in (32, 64)),
        *(pytest.param(ONE_SIDED, width, marks=pytest.mark.slow) for width in (16, 32, 64)),
    ],
)
def test_second_order_is_second_order(phi: ReluLike, width: int) -> None:
    network = shaped(phi, width, width)
    exact = law("exact", network)
    assert 0.28 < width**2 * apart(exact, law("second_order_sde", network)) < 0.33
    assert 0.38 < width * apart(exact, law("matched_sde", network)) < 0.43


@pytest.mark.slow
@pytest.mark.parametrize("width", [16, 64])
def test_a_linear_network_is_that_of_its_limit_at_a_longer_time(width: int) -> None:
    network = Network(Identity(), width, width, pair(0.3))
    exact = law("exact", network)
    assert 0.11 < width**2 * apart(exact, law("linear_second_order", network)) < 0.13
    assert 0.29 < width * apart(exact, law("linear", network)) < 0.31


@pytest.mark.slow
@pytest.mark.parametrize(
    "network",
    [shaped(SYMMETRIC, 16, 4), shaped(ONE_SIDED, 24, 48, -0.9), shaped(ONE_SIDED, 64, 64, 0.999)],
    ids=["few layers", "far back", "near one"],
)
def test_second_order_keeps_its_error(network: Network) -> None:
    distance = apart(law("exact", network), law("second_order_sde", network))
    assert distance <= registry()["second_order_sde"].error(network, network.depth, "correlation") < 1


def test_the_rescaled_correlation_reaches_into_the_tails() -> None:
    network = shaped(SYMMETRIC, 16, 16)
    rescaled, plain = law("exact", network, "rescaled_correlation"), law("exact", network)
    gap = np.array([1e-4, 1e-2, 0.5, 1.9])
    expected = 1 - np.asarray(plain.cdf(1 - gap))
    assert np.allclose(rescaled.cdf(np.log(16**2 * gap)), expected, rtol=1e-6, atol=1e-12)
    near, nearer = np.asarray(rescaled.cdf(np.log(16**2 * np.array([1e-5, 1e-6]))))
    assert 0 < nearer < near


def test_networks_that_they_are_not_for_are_refused() -> None:
    slow = replace(shaped(SYMMETRIC, 16, 16), shaping=Shaping("width", 0.3))
    assert "p ≥ 0.5" in str(registry()["second_order_sde"].refusal(slow, "correlation"))
    assert "p ≥ 0.5" in str(
        registry()["second_order_sde"].refusal(replace(slow, shaping=None), "correlation")
    )
    narrow = shaped(SYMMETRIC, 4, 16)
    assert "8 units or more" in str(registry()["exact"].refusal(narrow, "correlation"))


def test_a_step_that_is_not_resolved_is_refused() -> None:
    """With a slope of nearly 0 few units have nearly an atom at ρ = 0, which no rows resolve."""
    with pytest.raises(InputError, match="its mass is wrong by"):
        law("exact", Network(ReluLike(0.0, -0.99), 8, 4, pair(0.3)))
    # nearly an edge, where slopes differ and ρ is near −1, is resolved
    near = Network(ReluLike(0.0, -0.4), 24, 10, pair(-0.95))
    assert law("exact", near).quantile(0.5) > -1
    assert registry()["exact"].error(near, 10, "correlation") < 1.1e-7


def test_rows_of_two_grids_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "_folder", lambda: tmp_path / "rows")
    slopes = Slopes(1, 0.5)
    first = transition_rows.Transition(slopes, 16).blocks([0])[0]
    monkeypatch.setattr(transition_rows, "_STEP", 0.4)
    finer = transition_rows.Transition(slopes, 16).blocks([0])[0]
    assert finer.values.shape != first.values.shape
    monkeypatch.undo()
    monkeypatch.setattr(kept_rows, "_folder", lambda: tmp_path / "rows")
    again = transition_rows.Transition(slopes, 16).blocks([0])[0]
    assert (again.first, again.values.tobytes()) == (first.first, first.values.tobytes())


def test_rows_that_are_kept_and_damaged_are_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_rows, "_folder", lambda: tmp_path / "rows")
    slopes = Slopes(1, 0.5)
    first = transition_rows.Transition(slopes, 16).blocks([0])[0]
    (file,) = (tmp_path / "rows").iterdir()
    key = transition_rows.Transition(slopes, 16).key
    (kept,) = kept_rows.read(key, transition_rows.Block).values()
    assert (kept.first, kept.values.tobytes()) == (first.first, first.values.tobytes())
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    assert kept_rows.read(key, transition_rows.Block) == {}
    again = transition_rows.Transition(slopes, 16).blocks([0])[0]
    assert again.values.tobytes() == first.values.tobytes()
    monkeypatch.setattr(kept_rows, "LARGEST", len(content) // 2)
    kept_rows.write((*key, "another"), {0: first})
    assert not list((tmp_path / "rows").iterdir())
