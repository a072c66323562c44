"""What every class of laws promises, over all of them: one row a class, found by itself when a class is new."""

from __future__ import annotations

import inspect
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import deeplimits.limits
from deeplimits.activations import Identity, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.errors import InputError
from deeplimits.laws import EmpiricalLaw, Law, NormalLaw, PointMass, Transform, kolmogorov, noise_floor
from deeplimits.laws.mapped import MappedNormal, mapped
from deeplimits.limits import registry
from deeplimits.limits.mlp.correlation import CORRELATION_TRANSFORM
from deeplimits.limits.mlp.covariance_paths import extrapolated
from deeplimits.limits.mlp.smooth_variance import ExplosiveLaw, survival
from deeplimits.limits.solvers.compound import MixtureLaw
from deeplimits.networks.network import Network, Shaping

GRAM = ((1.0, 0.3), (0.3, 1.0))
SHAPED = Network(ReluLike(0.0, -1.0), 20, 20, GRAM, shaping=Shaping("width", 0.5))
SMOOTH = replace(SHAPED, activation=Smooth.of("tanh"))
UNIT = Network(OrnsteinUhlenbeck(0.7, 0.2), 1, 50, ((1.0,),), architecture="resnet")
SIDES = Network(ReluLike(0.5, -0.5), 1, 50, ((1.0,),), architecture="resnet")
NORMALS = np.random.default_rng(0).standard_normal(4000)


FALLING = Transform(lambda x: -np.log(x), lambda y: np.exp(-y), lambda x: 1 / x, increasing=False, low=0.0)
ANGLE = Transform(np.cos, np.arccos, np.sin, increasing=False, low=0.0, high=np.pi)


def of(name: str, network: Network, observable: str) -> Callable[[], Law]:
    return lambda: registry()[name].laws(network, [network.depth], observable)[0]


def sample(bounded: bool = False) -> Law:
    values = np.tanh(NORMALS) if bounded else NORMALS
    return EmpiricalLaw.of(values, bounded=bounded)


LAWS: dict[str, Callable[[], Law]] = {
    "normal": lambda: NormalLaw(-0.5, 2.0),
    "log-normal": lambda: NormalLaw(-0.5, 1.0, exponential=True),
    "log-normal, wide": lambda: NormalLaw(-200.0, 20.0, exponential=True),
    "fluctuating correlation": of(
        "infinite_width_fluctuations", replace(SHAPED, shaping=None), "correlation"
    ),
    "fluctuating rescaled correlation": of("infinite_width_fluctuations", SMOOTH, "rescaled_correlation"),
    "number": lambda: PointMass(0.3),
    "minus infinity": lambda: PointMass(-np.inf),
    "plus infinity": lambda: PointMass(np.inf),
    "sample": sample,
    "bounded sample": lambda: sample(bounded=True),
    "sample of one": lambda: EmpiricalLaw.of([2.0]),
    "sample with ties": lambda: EmpiricalLaw.of(np.round(NORMALS, 1)),
    "sample of correlations with atoms": lambda: EmpiricalLaw.of([-1, -1, 0.2, 0.3, 0.5, 1], bounded=True),
    "sample with dead networks": lambda: EmpiricalLaw.of([*NORMALS[:500], *[-np.inf] * 50]),
    "sample with explosions": lambda: EmpiricalLaw.of([*NORMALS[:500], *[np.inf] * 50]),
    "extrapolated": lambda: extrapolated(NORMALS, NORMALS * 0.9 + 0.01, "log_variance"),
    "extrapolated correlations": lambda: extrapolated(
        np.tanh(NORMALS), np.tanh(NORMALS * 0.8), "correlation"
    ),
    "correlation": of("correlation_sde", SHAPED, "correlation"),
    "correlation, fluctuating": lambda: MappedNormal(0.4, 0.2, CORRELATION_TRANSFORM),
    "falling map of a normal": lambda: MappedNormal(0.4, 0.2, FALLING),
    "falling map of a law": lambda: mapped(of("correlation_sde", SHAPED, "correlation")(), ANGLE),
    "falling map of a law with explosions": lambda: mapped(
        MixtureLaw((0.25, 0.75), (PointMass(-np.inf), NormalLaw(0.0, 1.0))), FALLING
    ),
    "rescaled correlation": of("unshaped", replace(SHAPED, shaping=None), "rescaled_correlation"),
    "unshaped correlation": of("unshaped", replace(SHAPED, shaping=None), "correlation"),
    "variance": of("smooth_variance", SMOOTH, "variance"),
    "log variance": of("smooth_variance", SMOOTH, "log_variance"),
    "explosive variance": lambda: ExplosiveLaw(1.0, 1.0, 0.6, logarithmic=False),
    "explosive log variance": lambda: ExplosiveLaw(3.0, 1.0, 0.5, logarithmic=True),
    "convolved": of(
        "hayou_linear", Network(Identity(), 3, 50, ((1.0,),), architecture="resnet"), "log_variance"
    ),
    "folded": of("ornstein_uhlenbeck", UNIT, "ou_coordinate"),
    "folded square": of("ornstein_uhlenbeck", UNIT, "log_activation"),
    "folded logarithm": of("ornstein_uhlenbeck", UNIT, "log_variance"),
    "two sides": of("hayou_relu_n1", SIDES, "log_variance"),
    "mixture with a number": lambda: MixtureLaw((0.25, 0.75), (PointMass(0.4), NormalLaw(0.0, 1.0))),
    "mixture with death": lambda: MixtureLaw((0.25, 0.75), (PointMass(-np.inf), NormalLaw(0.0, 1.0))),
    "mixture of numbers": lambda: MixtureLaw((0.5, 0.5), (PointMass(-1.0), PointMass(1.0))),
}
NEAR_ONE = replace(SHAPED, activation=ReluLike(0.0, -0.5), width=8, depth=100, shaping=None)
LAWS |= {
    "within rounding of 1": of("exact", NEAR_ONE, "correlation"),
    "within rounding of 1 and of -1": of(
        "exact", replace(NEAR_ONE, activation=Identity(), width=4, depth=60), "correlation"
    ),
    "rescaled, within rounding of its end": of(
        "exact", replace(NEAR_ONE, activation=Identity(), width=4, depth=60), "rescaled_correlation"
    ),
    "within rounding of 1, and equal": of(
        "exact", replace(NEAR_ONE, activation=ReluLike(), depth=40), "correlation"
    ),
    "few layers of few units": of("exact", replace(NEAR_ONE, depth=9), "correlation"),
}
AT_ENDS = {name for name in LAWS if "within rounding" in name}
"""Laws whose density is infinite at an end."""
FINITE = {
    *("fluctuating correlation", "fluctuating rescaled correlation"),
    *("normal", "number", "sample", "bounded sample", "sample of one", "sample with ties"),
    *("extrapolated", "extrapolated correlations", "correlation", "rescaled correlation"),
    *("unshaped correlation", "log variance", "convolved", "folded", "folded square", "folded logarithm"),
    *("two sides", "mixture with a number", "mixture of numbers", "variance", "log-normal"),
    *("sample of correlations with atoms", "correlation, fluctuating", "falling map of a normal"),
    *("falling map of a law", "few layers of few units"),
    *AT_ENDS,
}
"""Laws whose mean is that of what is finite of them."""
LEVELS = np.array([1e-9, 1e-6, 1e-3, 0.05, 0.07, 0.25, 0.5, 0.75, 0.93, 0.95, 1 - 1e-3, 1 - 1e-6, 1 - 1e-9])
_MADE: dict[str, Law] = {}


@pytest.fixture(
    params=[pytest.param(each, marks=[pytest.mark.slow] * each.startswith("explosive")) for each in LAWS]
)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def law(name: str) -> Law:
    """Each made once; none may warn, then or later."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if name not in _MADE:
            _MADE[name] = LAWS[name]()
    return _MADE[name]


@pytest.fixture(autouse=True)
def no_warning() -> None:
    warnings.simplefilter("error")


def test_every_class_of_laws_is_here() -> None:
    registry()
    assert deeplimits.limits is not None

    def below(kind: type[Law]) -> set[type[Law]]:
        return {kind, *(each for inner in kind.__subclasses__() for each in below(inner))}

    made = {type(_MADE.get(name) or make()) for name, make in LAWS.items()}
    assert {kind for kind in below(Law) if not inspect.isabstract(kind)} == made


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 1.5, np.nan, np.inf, -np.inf])
def test_levels_lie_between_0_and_1(law: Law, level: float) -> None:
    for asked in (level, [0.5, level], np.array([[level]])):
        with pytest.raises(InputError, match="strictly between 0 and 1"):
            law.quantile(asked)
    with pytest.raises(InputError):
        law.icdf(level)


def test_quantiles_are_the_inverse_of_the_distribution_function(law: Law) -> None:
    """F(q(u)) ≥ u > F(q(u) −), to rounding: q(u) is the smallest number with F ≥ u. What is known to 1e-12 of
    a table leaves levels of 1e-9 six digits.
    """
    found = law.quantile(LEVELS)
    assert not np.isnan(found).any()
    assert (np.diff(found[np.isfinite(found)]) >= 0).all()
    assert (law.cdf(found) >= LEVELS - 1e-9 * LEVELS - 1e-13).all()
    # up to an ulp of x times the density there
    slack = np.abs(np.nan_to_num(found, posinf=0, neginf=0)) * 1e-14 * np.nan_to_num(law.density(found))
    assert (law.below(found) <= LEVELS + 1e-9 * LEVELS + 1e-12 + slack).all()


def test_quantiles_and_distribution_function_agree(law: Law) -> None:
    """P(X < q(u)) ≤ u ≤ P(X ≤ q(u)), whatever a computer's numbers make of a law near an end of its range."""
    levels = np.concatenate(
        [np.logspace(-9, -3, 13), np.linspace(0.002, 0.998, 499), 1 - np.logspace(-9, -3, 13)]
    )
    found = law.quantile(levels)
    assert (law.cdf(found) >= levels - 1e-9).all()
    assert (law.below(found) <= levels + 1e-9).all()


def test_atoms_are_what_distribution_functions_leap_by(law: Law) -> None:
    for where, mass in law.atoms:
        if np.isfinite(where):
            leap = float(law.cdf(where)) - float(law.cdf(np.nextafter(where, -np.inf)))
            assert mass == pytest.approx(leap, rel=1e-6, abs=1e-9)
            assert law.below(where) == pytest.approx(float(law.cdf(where)) - mass, abs=1e-9)


def test_distribution_functions_rise_from_0_to_1(law: Law) -> None:
    ends = law.quantile([1e-6, 1 - 1e-6])
    ends = ends[np.isfinite(ends)] if np.isfinite(ends).any() else np.zeros(1)
    x = np.linspace(ends.min() - 2, ends.max() + 2, 4001)
    x = np.concatenate([[-np.inf, -1e300, -1e3], x[(x > -1e3) & (x < 1e3)], [1e3, 1e300, np.inf]])
    value = law.cdf(x)
    assert ((value >= 0) & (value <= 1)).all()
    assert (np.diff(value) >= -1e-13).all()
    assert value[-1] == 1
    assert value[0] == law.mass(-np.inf)
    assert (law.below(x) <= value).all()
    assert np.isnan(law.cdf(np.nan)) and np.isnan(law.density(np.nan))
    assert law.density([-np.inf, np.inf]).tolist() == [0, 0]


def test_answers_have_the_shape_of_the_question(law: Law) -> None:
    at = float(law.quantile(0.4)) if np.isfinite(law.quantile(0.4)) else 0.0
    for ask, argument in ((law.cdf, at), (law.below, at), (law.density, at), (law.quantile, 0.4)):
        alone = ask(argument)
        assert np.ndim(alone) == 0 and isinstance(float(alone), float)
        for shape in ((1,), (2, 3), (0,)):
            assert np.shape(ask(np.full(shape, argument))) == shape
        np.testing.assert_allclose(ask([argument] * 2), [alone] * 2, rtol=1e-14)
    assert law.pdf(at) == law.density(at) or np.isnan(law.density(at))
    assert law.icdf(0.4) == law.quantile(0.4)


def test_moments_are_those_of_the_quantiles(name: str, law: Law) -> None:
    """∫ q(u) du by 2¹³ midpoints; the tail beyond them is what is left out."""
    assert law.std >= 0
    if name not in FINITE:
        assert not np.isfinite(law.mean) or name == "log-normal, wide"
        return
    u = (np.arange(1 << 13) + 0.5) / (1 << 13)
    values = law.quantile(u)
    assert law.mean == pytest.approx(values.mean(), rel=2e-3, abs=1e-3)
    assert law.std == pytest.approx(values.std(), rel=2e-2, abs=2e-3)


def test_densities_integrate_to_what_is_no_atom(name: str, law: Law) -> None:
    """Between two quantiles far out, by the trapezoidal rule between places of equal probability."""
    free = 1 - sum(mass for _, mass in law.atoms)
    low, high = law.mass(-np.inf) + 1e-3, 1 - law.mass(np.inf) - 1e-3
    if free < 0.5 or name in AT_ENDS | {
        "sample of one",
        "mixture with a number",
        "sample of correlations with atoms",
    }:
        return
    x = law.quantile(np.linspace(low, high, 4001))
    value = law.density(x)
    assert not np.isnan(value).any() and (value >= 0).all()
    mass = float(np.sum((value[1:] + value[:-1]) / 2 * np.diff(x)))
    loose = 0.03 if isinstance(law, EmpiricalLaw) else 2e-3
    assert mass == pytest.approx(law.cdf(x[-1]) - law.cdf(x[0]), abs=loose)


def test_draws_follow_the_law(name: str, law: Law) -> None:
    """4,096 draws within 1.95 / √N of it, which one law in a thousand passes; equal seeds draw equally, and a
    shifted sample is found.
    """
    drawn = law.sample(4096, seed=3)
    assert drawn.shape == (4096,) and not np.isnan(drawn).any()
    np.testing.assert_array_equal(drawn, law.sample(4096, seed=3))
    assert np.shape(law.sample((2, 5))) == (2, 5)
    assert law.distance(drawn) == kolmogorov(law, drawn) < 1.95 / 64
    if np.isfinite(low := law.quantile(0.3)):
        assert law.distance(drawn + 1 + law.quantile(0.75) - low) > 10 * noise_floor(4096)
    if np.isfinite(drawn).all() and not any(np.isinf(where) for where, _ in law.atoms):
        spread = float(np.abs(drawn - drawn.mean()).mean())
        assert law.distance(drawn, "wasserstein") <= 0.25 * spread + 1e-12
    else:
        with pytest.raises(InputError, match="kolmogorov"):
            law.distance(drawn, "wasserstein")


def test_what_is_no_sample_is_refused(law: Law) -> None:
    with pytest.raises(InputError, match="1 NaN of 2"):
        law.distance([0.0, np.nan])
    with pytest.raises(InputError, match="no sample"):
        law.distance([])
    with pytest.raises(InputError, match="kolmogorov, wasserstein"):
        law.distance([0.0], "euclid")  # type: ignore[arg-type]


def test_laws_show_themselves(name: str, law: Law) -> None:
    text = repr(law)
    assert "\n" not in text and type(law).__name__ in text and f"{law.mean:.6g}" in text
    table = law._repr_html_()
    assert table.count("<tr>") == table.count("</tr>") >= 9


@pytest.mark.parametrize("kind", ["density", "cdf"])
def test_laws_are_drawn_and_settings_stay(law: Law, kind: str) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    before = dict(mpl.rcParams)
    axes = Figure().subplots()
    assert law.plot(axes, kind, samples=law.sample(50), label="theory") is axes
    axes.figure.canvas.draw()
    assert dict(mpl.rcParams) == before
    shown = [*axes.lines, *axes.texts, *axes.patches]
    assert shown
    low, high = axes.get_xlim()
    middle = law.quantile(0.5)
    assert np.isfinite([low, high]).all() and (not np.isfinite(middle) or low <= middle <= high)
    with pytest.raises(InputError, match="density or cdf"):
        law.plot(axes, "histogram")  # type: ignore[arg-type]


def test_laws_need_no_matplotlib_until_they_are_drawn() -> None:
    code = (
        "import sys, deeplimits.laws as laws; law = laws.NormalLaw(0, 1); repr(law); law._repr_html_(); "
        "assert 'matplotlib' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_samples_are_sorted_or_refused() -> None:
    for values in ([], [2.0, 1.0], [1.0, np.nan]):
        with pytest.raises(InputError, match="of sorts them"):
            EmpiricalLaw(np.array(values))
    with pytest.raises(InputError, match="no sample"):
        EmpiricalLaw.of([np.nan])


@pytest.mark.slow
def test_distance_of_explosions_counts_those_of_both() -> None:
    """Where a part p of the law and of the sample is at infinity, it tells nothing apart."""
    law = ExplosiveLaw(1.0, 1.0, 0.6, logarithmic=True)
    u = (np.arange(10_000) + 0.5) / 10_000
    assert law.distance(law.quantile(u)) <= 1e-4
    assert law.distance(np.full(10, np.inf)) == pytest.approx(1 - law.explosion_probability)


@pytest.mark.slow
def test_explosive_laws_are_those_of_the_dual_process_between_their_nodes() -> None:
    law = ExplosiveLaw(1.0, 1.0, 0.6, logarithmic=True)
    for u in (-7.0, -4.1, -0.2, 2.3, 5.1):
        assert law.cdf(u) == pytest.approx(survival(1.0, 1.0, 0.6, float(np.exp(u))), abs=1e-8)
