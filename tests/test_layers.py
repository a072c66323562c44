"""Networks whose layers have different numbers of units: every limit takes the constants of each layer, and what has no meaning
for such a network says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from deeplimits.activations import Identity, ReluLike, Smooth
from deeplimits.engines import simulate_block
from deeplimits.laws import kolmogorov
from deeplimits.limits import choose, registry
from deeplimits.limits.layers import in_pieces
from deeplimits.limits.regime import Condition
from deeplimits.networks.network import Network, Shaping, UnevenWidths

HALF = Shaping("width", 0.5)
PAIR = ((1.0, 0.3), (0.3, 1.0))
NARROW_THEN_WIDE = Network(ReluLike(0.5, -0.5), (10,) * 20 + (40,) * 20, 40, PAIR, shaping=HALF)
BLOCKS = replace(NARROW_THEN_WIDE, width=(50,) * 50 + (200,) * 50, depth=100)


def test_equal_widths_are_one_number() -> None:
    assert replace(BLOCKS, width=(7, 7, 7), depth=3) == replace(BLOCKS, width=7, depth=3)
    assert replace(BLOCKS, width=np.int64(7), depth=3).canonical_form()["width"] == 7
    with pytest.raises(ValueError, match="2 widths for a network of depth 3"):
        replace(BLOCKS, width=(7, 8), depth=3)
    with pytest.raises(ValueError, match="one width"):
        Network(ReluLike(), (7, 8), 2, PAIR, architecture="resnet")


def test_what_has_no_meaning_for_uneven_widths_raises() -> None:
    for name in ("units", "phi", "slopes", "normalizer"):
        with pytest.raises(UnevenWidths, match="10 to 40 units"):
            getattr(NARROW_THEN_WIDE, name)
    unshaped = replace(NARROW_THEN_WIDE, shaping=None)
    assert float(unshaped.slopes.plus) == 1.5, "which no width changes"
    assert float(replace(NARROW_THEN_WIDE, shaping=Shaping("depth", 0.5)).slopes.plus) == pytest.approx(
        1 + 0.5 / 40**0.5
    )
    assert [layer.units for layer in NARROW_THEN_WIDE.layers] == list(NARROW_THEN_WIDE.width)
    slopes = [float(layer.slopes.plus) for layer in NARROW_THEN_WIDE.layers]
    assert slopes == pytest.approx([1 + 0.5 * n**-0.5 for n in NARROW_THEN_WIDE.widths])


@pytest.mark.parametrize(
    ("network", "correlation", "matched"), [(NARROW_THEN_WIDE, 2.5, 2.4481), (BLOCKS, 1.25, 1.2447)]
)
def test_the_drift_of_a_correlation_is_summed_over_layers(
    network: Network, correlation: float, matched: float
) -> None:
    """κT is (c₊ − c₋)² Σ 1/n_ℓ, and Σ 2 A_ℓ with the slopes of each layer."""
    for name, expected in (("correlation_sde", correlation), ("matched_sde", matched)):
        begun, total = 0.0, 0.0
        for end, kappa in in_pieces(network, registry()[name].kappas(network)):
            total, begun = total + kappa * (end - begun), end
        assert total == pytest.approx(expected, abs=2e-4)


def test_uneven_widths_have_the_correlation_of_explicit_weights() -> None:
    """0.431 at the last layer by explicit weights; the SDEs leave out terms of order 1/n, 0.035 at layers of ten units, and with
    the slopes of the widest layer they would have 0.341.
    """
    for name in ("correlation_sde", "matched_sde"):
        (law,) = registry()[name].laws(NARROW_THEN_WIDE, [40], "correlation")
        assert law.mean == pytest.approx(0.431, abs=0.04)


@pytest.mark.parametrize("last", [(), (16,), (64, 48, 16)])
def test_a_coefficient_that_changes_all_the_time_is_averaged(last: tuple[int, ...]) -> None:
    """What it makes in all is kept, of layers beyond the last whole span too."""
    widths = ((16, 32, 48, 64) * 32 + last)[len(last) % 2 :]
    network = Network(ReluLike(1.0, -1.0), widths, len(widths), PAIR, shaping=Shaping("depth", 0.5))
    kappas = dict(zip((16, 32, 48, 64), registry()["matched_sde"].kappas(network), strict=True))
    pieces = in_pieces(network, list(kappas.values()))
    assert len(pieces) <= 17
    begun, total = 0.0, 0.0
    for end, kappa in pieces:
        total, begun = total + kappa * (end - begun), end
    assert begun == pytest.approx(sum(1 / n for n in widths))
    assert total == pytest.approx(sum(kappas[n] / n for n in widths))


@dataclass(frozen=True)
class Swish:
    """An activation that limits do not know."""


def test_what_no_regime_admits_is_refused_with_the_condition_that_failed() -> None:
    """A new architecture or activation is refused by all limits until one says that it is for it."""
    other = replace(NARROW_THEN_WIDE, width=40, depth=40)
    for network, words in (
        (replace(other, architecture="transformer"), "this one has the architecture transformer"),
        (replace(other, activation=Swish()), "of no family that limits know"),
    ):
        for limit in registry().values():
            reason = limit.refusal(network)
            assert reason is not None, limit.name
            assert words in reason or "architecture" in reason, limit.name
    limit = registry()["correlation_sde"]
    for network, words in (
        (replace(other, shaping=None), "it is for networks with p = 0.5, and this one has p = 0"),
        (
            replace(other, activation=Smooth.of("tanh")),
            "an activation that is ReLU-like or linear, and this one has one that is smooth",
        ),
        (replace(other, gram=((1.0,),)), "two inputs or more, and this one has 1"),
        (replace(other, gram=((1.0, -1.0), (-1.0, 1.0))), "and this one has ρ₀ = −1"),
    ):
        assert words in (limit.refusal(network) or "")
    assert "one width in all layers, and this one has a width for each layer" in (
        registry()["unshaped"].refusal(replace(NARROW_THEN_WIDE, shaping=None)) or ""
    )
    assert "it speaks of correlation, and variance was asked for" in (limit.refusal(other, "variance") or "")
    assert limit.refusal(other, "correlation") is None


def test_every_limit_says_what_it_is_for() -> None:
    for limit in registry().values():
        assert limit.regimes
        assert limit.label
        assert limit.kind in ("number", "law", "sampled")
        for regime in limit.regimes:
            assert all(isinstance(condition, Condition) for condition in regime.conditions)


UNEVEN = {
    "relu, p = 1/2": (NARROW_THEN_WIDE, "correlation"),
    "relu, p = 1/4": (
        replace(NARROW_THEN_WIDE, shaping=Shaping("width", 0.25), depth=12, width=(16,) * 6 + (64,) * 6),
        "correlation",
    ),
    "relu, by depth": (
        Network(ReluLike(1.5, -1.5), (64,) * 48 + (16,) * 12, 60, PAIR, shaping=Shaping("depth", 0.5)),
        "correlation",
    ),
    "linear": (Network(Identity(), (12, 24, 48) * 8, 24, PAIR), "correlation"),
    "tanh, p = 1/4": (
        Network(Smooth.of("tanh"), (24,) * 16 + (96,) * 16, 32, PAIR, shaping=Shaping("width", 0.25)),
        "correlation",
    ),
    "tanh, p = 1/2": (Network(Smooth.of("tanh"), (24, 48) * 16, 32, ((2.0,),), shaping=HALF), "log_variance"),
    "relu, variance": (Network(ReluLike(), (24, 48) * 16, 32, ((2.0,),)), "log_variance"),
    "relu, shaped variance": (
        Network(ReluLike(0.0, -1.0), (12,) * 8 + (96,) * 40, 48, ((2.0,),), shaping=HALF),
        "log_variance",
    ),
}


@pytest.mark.parametrize("name", UNEVEN)
def test_networks_of_uneven_widths_follow_their_laws(name: str) -> None:
    """Within 0.06 of the law, which is what it leaves out at such widths, for 2¹⁴ networks, whose noise passes 0.015 with a
    chance of 1e-3; and the same network turned round, its last layers first, or of its widest layer throughout, is not.
    """
    network, observable = UNEVEN[name]
    kind = "correlation_gap" if observable == "correlation" else "log_variance"

    def drawn(one: Network) -> np.ndarray:
        values = simulate_block(one, [one.depth], 0, 1 << 14)[kind][:, 0, 0].astype(float)
        return 1 - values if observable == "correlation" else values

    law = choose(network, observable, matched=name != "tanh, p = 1/4").limit.laws(
        network, [network.depth], observable
    )[0]
    assert kolmogorov(law, drawn(network)) < 0.075
    assert kolmogorov(law, drawn(network.at_width(network.widest))) > 0.1
