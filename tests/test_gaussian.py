"""Expectations over Gaussians against adaptive quadrature in 30 digits, a brute-force rule in two dimensions and
closed forms: |error| ≤ 1e-9 √(E f² E g²) wherever a number is returned, and a number nearly everywhere."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from deeplimits import gaussian
from deeplimits.activations import SMOOTH, ReluLike, Slopes, Smooth, exact, shaped
from deeplimits.digits import EXACT
from deeplimits.formulas import Formula
from deeplimits.gaussian import SLOPE, SQUARE, VALUE, Power, Unreachable
from gaussian_draws import MP, Draw, Reference, brute_force, draw, gap, in_float64

CUBE, FOURTH, SLOPES, BOTH = Power(value=3), Power(value=4), Power(slope=2), Power(value=1, slope=1)
TILTED = Power(argument=1, slope=1)
FUNCTIONS = [VALUE, SQUARE, SLOPE, SLOPES, BOTH, TILTED, CUBE, FOURTH]
SQUARES = [Power(2 * f.argument, 2 * f.value, 2 * f.slope) for f in FUNCTIONS]


@pytest.fixture(autouse=True)
def no_warning():
    """No NumPy warning leaves the module."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def counts(few: int, many: int) -> pytest.MarkDecorator:
    """So many draws, and so many more in the exhaustive suite."""
    return pytest.mark.parametrize("number", [few, pytest.param(many, marks=pytest.mark.exhaustive)])


def norm(drawn: Draw, function: Power, variance: float) -> float:
    """√E f²; f² may be beyond float64 where f is not."""
    square = Power(2 * function.argument, 2 * function.value, 2 * function.slope)
    try:
        return float(np.sqrt(gaussian.mean(drawn.phi, [square], variance)[0]))
    except Unreachable:
        return Reference(replace(drawn, variance=variance)).norms([function])[0]


@pytest.mark.slow
@counts(5, 2000)
def test_means_agree_with_an_adaptive_rule_in_30_digits(number: int, record_property) -> None:
    """E f for eight functions of φ and φ'; at most 1 % of the draws may be refused."""
    rng = np.random.default_rng(20261128 + number)
    refused, worst = 0, 0.0
    for _ in range(number):
        drawn = draw(rng)
        try:
            found = gaussian.mean(drawn.phi, FUNCTIONS, drawn.variance)
        except Unreachable:
            refused += 1
            continue
        # only the scale of an error: its own digits do not matter; f² may be beyond float64 where f is not
        reference = Reference(drawn)
        try:
            norms = np.sqrt(gaussian.mean(drawn.phi, SQUARES, drawn.variance))
        except Unreachable:
            norms = np.array(reference.norms(FUNCTIONS))
        errors = np.abs(found - reference.means(FUNCTIONS)) / norms
        assert errors.max() <= gaussian.TOLERANCE, str(drawn)
        worst = max(worst, float(errors.max()))
    assert refused <= 0.01 * number
    record_property("figures", f"{number} draws, {refused} refused, largest error {worst:.2g} √E f²")


@pytest.mark.slow
@counts(3, 300)
def test_pairs_agree_with_a_brute_force_rule(number: int, record_property) -> None:
    """E f(u) g(v) of pairs of functions, and 1 − ρ' to a relative 1e-8, ρ down to 1e-6 from ±1; of activations that the
    reference can evaluate.
    """
    rng = np.random.default_rng(20261129 + number)
    pairs = [(VALUE, VALUE), (SLOPE, SLOPE), (SQUARE, SQUARE), (TILTED, VALUE), (CUBE, VALUE)]
    firsts, seconds = [VALUE, SLOPE, SQUARE, TILTED, CUBE], [VALUE, SLOPE, SQUARE]
    refused, worst, worst_gap, done, left_out = 0, 0.0, 0.0, 0, 0
    while done < number:
        drawn, apart = draw(rng), gap(rng)
        first, second = drawn.variance, drawn.variance * float(rng.choice([1.0, 10 ** rng.uniform(-1, 1)]))
        with np.errstate(all="ignore"):
            far = 14 * np.sqrt(max(first, second)) * np.array([-1, 1])
            if not np.isfinite([drawn.phi(far), drawn.phi.slope(far)]).all():
                continue
        if not in_float64(drawn, max(first, second)):
            left_out += 1
            continue
        done += 1
        try:
            found = gaussian.correlated(drawn.phi, firsts, seconds, first, second, apart)
            image = gaussian.image(drawn.phi, first, second, apart)
        except Unreachable:
            refused += 1
            continue
        with np.errstate(over="ignore"):
            *expected, expected_gap = brute_force(drawn, first, second, apart, pairs)
        for (f, g), value in zip(pairs, expected, strict=True):
            norms = norm(drawn, f, first), norm(drawn, g, second)
            error = abs(found[firsts.index(f), seconds.index(g)] - value) / (norms[0] * norms[1])
            assert error <= gaussian.TOLERANCE, (str(drawn), f, g, second, apart)
            worst = max(worst, float(error))
        # the reference subtracts values of φ
        error = abs(image.gap - expected_gap) / expected_gap
        assert error <= 1e-8 + 1e-13 / np.sqrt(expected_gap), (str(drawn), second, apart)
        worst_gap = max(worst_gap, error)
    assert refused <= max(0.01 * number, 0)
    record_property(
        "figures",
        f"{number} draws, {refused} refused, {worst:.2g}, 1 − ρ' {worst_gap:.2g}; {left_out} left out",
    )


def _sin(a, b, c):
    return MP.exp(c - (a + b) / 2) * (1 - MP.exp(-2 * c)) / 2


def _erf(a, b, c):
    # φ = (√π/2) erf
    return MP.asin(2 * c / MP.sqrt((1 + 2 * a) * (1 + 2 * b))) / 2


def _relu(a, b, c):
    rho = c / MP.sqrt(a * b)
    rho = min(max(rho, MP.mpf(-1)), MP.mpf(1))
    return MP.sqrt(a * b) * (MP.sqrt(1 - rho * rho) + rho * MP.acos(-rho)) / (2 * MP.pi)


@pytest.mark.parametrize(("name", "closed"), [("sin", _sin), ("erf", _erf), ("relu", _relu)])
def test_closed_forms_at_both_ends(name: str, closed) -> None:
    """1 − ρ' to a relative 1e-9 from 1 − ρ = 1e-20 on, 1 + ρ' likewise as far as 1 + ρ can be written, and exact at 0 and 2."""
    phi = shaped(ReluLike() if name == "relu" else Smooth.of(name), 1, 0.0)
    rng = np.random.default_rng(3)
    for ratio in (1.0, 1.7, 1 + 1e-9):
        for apart in (0.0, 1e-20, 1e-12, 1e-5, 0.02, 0.4, 1.0, 1.7, 2 - 1e-4, 2 - 2.0**-40, 2.0):
            variance = float(10 ** rng.uniform(-8, 3 if name == "sin" else 8))
            found = gaussian.image(phi, variance, ratio * variance, apart)
            MP.dps = 80
            a, b = MP.mpf(variance), MP.mpf(ratio * variance)
            squares = closed(a, a, a), closed(b, b, b)
            root = MP.sqrt(squares[0] * squares[1])
            expected = 1 - closed(a, b, (1 - MP.mpf(apart)) * MP.sqrt(a * b)) / root
            MP.dps = 30
            assert found.first == pytest.approx(float(squares[0]), rel=1e-12)
            assert found.second == pytest.approx(float(squares[1]), rel=1e-12)
            assert 0 <= found.gap <= 2
            # of inputs of different size, φ(u) and φ(v) are rounded to float64 before they are subtracted
            rounding = max(1e-16 * np.sqrt(float(expected)), 1e-30)
            assert found.gap == pytest.approx(float(expected), rel=1e-9, abs=rounding)
            assert 2 - found.gap == pytest.approx(float(2 - expected), rel=1e-9, abs=2e-15)


def _quadrant(p: int, q: int, theta):
    """E u^p v^q over u, v > 0 at an angle θ, by the closed forms of Cho & Saul 2009 and what follows from them."""
    sin, cos, rest = MP.sin(theta), MP.cos(theta), MP.pi - theta
    return {
        (0, 0): rest,
        (1, 1): sin + rest * cos,
        (2, 2): 3 * sin * cos + rest * (1 + 2 * cos**2),
        (3, 1): sin * (2 + cos**2) + 3 * cos * rest,
        (4, 0): 3 * rest + 3 * sin * cos + 2 * sin**3 * cos,
    }[max(p, q), min(p, q)] / (2 * MP.pi)


def _of_slopes(plus, minus, p: int, q: int, theta, bends: tuple[int, int]):
    """E φ(u)^p φ'(u)^(bends − p) φ(v)^q …: the sectors where the signs agree, and where they do not."""
    one, other = bends
    same = plus ** (one + other) + (-1) ** (p + q) * minus ** (one + other)
    differ = plus**one * minus**other + (-1) ** (p + q) * minus**one * plus**other
    return same * _quadrant(p, q, theta) + (-1) ** q * differ * _quadrant(p, q, MP.pi - theta)


@pytest.mark.parametrize(
    ("plus", "minus"), [(1.0, 0.0), (1.3, -0.4), (-0.2, 0.9), (1.001, 0.999), (1.0, 1.0), (0.7, -0.7)]
)
@pytest.mark.parametrize("apart", [0.0, 1e-14, 1e-7, 1e-3, 0.4, 1.0, 1.6, 2 - 1e-6, 2.0])
def test_piecewise_linear_expectations_have_their_closed_forms(
    plus: float, minus: float, apart: float
) -> None:
    """To 1e-13, and the differences of f and g to a relative 1e-12 where they nearly vanish."""
    slopes = Slopes(EXACT.mpf(plus), EXACT.mpf(minus))
    MP.dps = 100
    try:
        theta = MP.acos(1 - MP.mpf(apart))
        a, b = MP.mpf(plus), MP.mpf(minus)
        found = gaussian.correlated(
            slopes, [VALUE, SQUARE, SLOPE, CUBE], [VALUE, SQUARE, SLOPE], 4.0, 0.25, apart
        )
        cases = {(0, 0): (1, 1), (1, 1): (2, 2), (2, 2): (0, 0), (3, 0): (3, 1)}
        for (i, j), (p, q) in cases.items():
            expected = _of_slopes(a, b, p, q, theta, (max(p, 1), max(q, 1))) * MP.mpf(2) ** (p - q)
            assert found[i, j] == pytest.approx(float(expected), rel=1e-13, abs=1e-14 * 2.0 ** (p - q))
        sign = 1 if apart <= 1 else -1
        norm = (a**2 + b**2) / 2
        fourth = 3 * (a**4 + b**4) / 2 / norm**2
        both = _of_slopes(a, b, 2, 2, theta, (2, 2)) / norm**2
        cubed = sign * _of_slopes(a, b, 3, 1, theta, (3, 1)) / norm**2
        near = 1 - sign * _of_slopes(a, b, 1, 1, theta, (1, 1)) / norm
        closed = (
            both,
            both - 2 * cubed + fourth,
            both - 2 * cubed + fourth,
            2 * fourth + 6 * both - 8 * cubed,
            -near,
            near,
            _of_slopes(a, b, 0, 0, theta, (1, 1)) / norm,
        )
        contrast = gaussian.contrast(slopes, 4.0, 0.25, apart, sign)
        for name, expected in zip(contrast.__slots__, closed, strict=True):
            least = 1e-15 if name == "slopes" else 1e-60
            assert getattr(contrast, name) == pytest.approx(float(expected), rel=1e-12, abs=least), name
    finally:
        MP.dps = 30


@pytest.mark.parametrize("name", sorted(SMOOTH))
def test_ends_stay_ends(name: str) -> None:
    """Equal inputs give 0 exactly, antipodal ones 2 where φ is odd; the centred sigmoid is, to rounding."""
    phi = shaped(Smooth.of(name), 1, 0.0)
    for variance in (1e-8, 0.3, 1.0, 50.0, 1e5):
        assert gaussian.image(phi, variance, variance, 0.0).gap == 0.0
        if name in ("tanh", "erf", "arctan", "sin", "sigmoid"):
            assert gaussian.image(phi, variance, variance, 2.0).gap == 2.0


@counts(24, 1000)
def test_named_activations_are_reached_up_to_a_million(number: int) -> None:
    rng = np.random.default_rng(number)
    for _ in range(number):
        name = str(rng.choice(sorted(SMOOTH)))
        phi = shaped(Smooth.of(name, 1.0, rng.uniform(-2, 2)), 1, 0.0)
        variance = float(10 ** rng.uniform(-8, 4 if name == "sin" and number < 100 else 6))
        found = gaussian.image(phi, variance, variance * float(rng.choice([1.0, 0.3])), gap(rng))
        assert np.isfinite([found.first, found.second, found.gap]).all()


@pytest.mark.parametrize(
    ("formula", "variance"),
    [("exp(x)", 1e4), ("sinh(x)", 1e6), ("x * exp(x * x)", 1.0), ("exp(x) - exp(exp(x) / 9)", 9.0)],
)
def test_what_cannot_be_had_is_an_exception(formula: str, variance: float) -> None:
    phi = shaped(Smooth.of(formula, 1.0, 0.5), 1, 0.0)
    for ask in (
        lambda: gaussian.mean(phi, [SQUARE], variance),
        lambda: gaussian.image(phi, variance, variance, 0.1),
        lambda: gaussian.correlated(phi, [SLOPE], [SLOPE], variance, variance, 0.1),
    ):
        with pytest.raises(Unreachable):
            ask()


def test_a_mean_that_is_not_zero() -> None:
    """φ = sin: E sin(m + σg)² = (1 − e^{−2σ²} cos 2m) / 2; no variance, and a function in the tail alone."""
    phi = shaped(Smooth.of("sin"), 1, 0.0)
    for mean, variance in ((0.7, 2.0), (-30.0, 1e-6), (3.0, 0.0)):
        expected = (1 - np.exp(-2 * variance) * np.cos(2 * mean)) / 2
        assert gaussian.mean(phi, [SQUARE], variance, mean)[0] == pytest.approx(expected, rel=1e-10)
    # softplus far to the left of its bend: e^{2u} / 4 to e^{-30}, had where log(1 + e^x) keeps no digit
    phi = shaped(Smooth.of("softplus", 1.0, -40.0), 1, 0.0)
    found = gaussian.mean(phi, [VALUE], 1.0)[0]
    assert found == pytest.approx(np.expm1(0.5), rel=1e-9)


def test_a_rule_of_fixed_size_would_be_found_out() -> None:
    """The planted fault: 120 Gauss–Hermite nodes for tanh at V = 177 err by more than the tolerance, a millionfold."""
    phi = shaped(Smooth.of("tanh"), 1, 0.0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    fixed = float(weights @ phi(np.sqrt(177.0) * nodes) ** 2 / weights.sum())
    with MP.workdps(20):
        exact_value = (
            2
            * MP.quad(lambda x: MP.tanh(MP.sqrt(177) * x) ** 2 * MP.exp(-x * x / 2), [0, 0.05, 0.2, 1, 4, 10])
            / MP.sqrt(2 * MP.pi)
        )
    found = gaussian.mean(phi, [SQUARE], 177.0)[0]
    assert abs(found - float(exact_value)) < 1e-13
    assert abs(fixed - float(exact_value)) > 1e-3


@pytest.mark.parametrize(
    "text",
    [
        *SMOOTH.values(),
        "abs(x - 3) * x",
        "tan(x / 9) + asin(x / 9) - acos(x / 7)",
        "cosh(x) / sinh(x + 9)",
        "asinh(x) * atanh(x / 9)",
        "erfc(x) ** 2 / (2 - x)",
        "-sqrt(x + 9) ** 3",
        "x ** -2 + pi",
        "2 * pi",
        "x",
    ],
)
def test_derivatives_of_formulas_are_exact(text: str) -> None:
    formula, library = Formula(text), exact()
    for x in (-1.5, 0.25, 1.75):
        expected = EXACT.diff(lambda at: formula(at, library), EXACT.mpf(x))
        assert float(abs(formula.derivative(EXACT.mpf(x), library) - expected)) < 1e-20 * (1 + abs(expected))


def test_slopes_of_steep_activations_are_exact() -> None:
    """The oracle's φ_s' where a difference of fixed step fails, and φ_s near 0 where f(x₀ + u) − f(x₀) cancels."""
    for text, center in (("tanh(1000 * x)", 0.0), ("atan(300 * x)", 0.001), ("gelu", -1.5), ("tanh", 3.0)):
        smooth = Smooth.of(text, 1.0, center)
        phi = shaped(smooth, 10_000, 0.5)
        x = np.array([-1e-6, 1e-4, 0.05, 3.0])
        for found, of in ((phi(x), smooth), (phi.slope(x), smooth.slope)):
            expected = [float(of(EXACT.mpf(at) / 100)) * (100 if of is smooth else 1) for at in x]
            np.testing.assert_allclose(found, expected, rtol=1e-12 if center < 3 else 1e-10)


def test_expectations_are_of_the_right_function() -> None:
    """One number from the definition alone: E u φ'(u) φ(v) of tanh, V = (1, 2), ρ = 0.5."""
    phi = shaped(Smooth.of("tanh"), 1, 0.0)
    found = gaussian.correlated(phi, [TILTED], [VALUE], 1.0, 2.0, 0.5)[0, 0]
    nodes, weights = np.polynomial.hermite_e.hermegauss(90)
    u = nodes[:, None]
    v = np.sqrt(2) * (0.5 * u + np.sqrt(0.75) * nodes)
    expected = weights @ (u / np.cosh(u) ** 2 * np.tanh(v)) @ weights / weights.sum() ** 2
    assert found == pytest.approx(float(expected), rel=1e-7)
