"""Networks with normalisation: engines against explicit weights, their limits against both, and what is refused.

Families of tests in law have a false-alarm rate of 1e-3 together; every planted fault is found by them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from deeplimits.activations import Identity, ReluLike
from deeplimits.architectures import architecture
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.limits import choose, registry
from deeplimits.networks.network import Network, Shaping
from deeplimits.sweep.point_files import load_point
from laws_agree import Sample, smallest

GRAM = ((1.0, 0.3, -0.2), (0.3, 2.0, 0.6), (-0.2, 0.6, 0.5))
HALF = Shaping("width", 0.5)
NETWORKS = {
    "layer norm, 4 units": Network(ReluLike(), 4, 3, GRAM, architecture="layer_norm_mlp"),
    "layer norm, shaped": Network(ReluLike(1.0, -1.0), 9, 7, GRAM, 0, HALF, "layer_norm_mlp"),
    "layer norm, linear": Network(Identity(), 5, 3, GRAM, architecture="layer_norm_mlp"),
    "layer norm, uneven": Network(ReluLike(0.4, -0.9), (6, 20, 4), 3, GRAM, architecture="layer_norm_mlp"),
    "RMS norm, 2 units": Network(ReluLike(), 2, 4, GRAM, architecture="rms_norm_mlp"),
    "RMS norm, shaped": Network(ReluLike(0.5, -0.5), 8, 6, GRAM, 0, HALF, "rms_norm_mlp"),
    "pre-norm, 1 unit": Network(ReluLike(0.0, -0.5), 1, 3, GRAM, architecture="pre_norm_resnet"),
    "pre-norm": Network(ReluLike(), 5, 4, GRAM, architecture="pre_norm_resnet"),
    "pre-norm, linear": Network(Identity(), 4, 8, GRAM, architecture="pre_norm_resnet"),
    "pre-norm, small": Network(
        ReluLike(0.2, -0.9),
        3,
        5,
        tuple(tuple(1e-4 * v for v in row) for row in GRAM),
        0,
        None,
        "pre_norm_resnet",
    ),
}
THRESHOLD = 1e-3 / len(NETWORKS)
EVERYDAY = 1 << 15


def oracle(network: Network, samples: int, seed: int = 7) -> Sample:
    layers = [network.depth]
    return network.kind.oracle(network, layers, samples, np.random.default_rng(seed), readout=True)


def engine(network: Network, samples: int) -> Sample:
    return simulate_block(network, [network.depth], 0, samples, engine="cpu", output=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_engine_and_explicit_weights_have_one_law(name: str) -> None:
    network = NETWORKS[name]
    assert smallest(engine(network, EVERYDAY), oracle(network, EVERYDAY)) > THRESHOLD


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NETWORKS)
def test_engine_and_explicit_weights_have_one_law_to_a_million(name: str) -> None:
    network = NETWORKS[name]
    assert smallest(engine(network, 1 << 20), oracle(network, 1 << 20)) > THRESHOLD


def of_architecture(
    name: str, network: Network, layers: Sequence[int], samples: int, generator: Any
) -> Sample:
    """What the oracle of an architecture draws of a network that is like another one's."""
    return architecture(name).oracle(replace(network, architecture=name), layers, samples, generator)


def before(network: Network, layers: Sequence[int], samples: int, generator: Any) -> Sample:
    """The planted fault of the perceptron: z is normalised, and φ of it is not."""
    drawn = of_architecture("rms_norm_mlp", network, layers, samples, generator)
    weights = generator.standard_normal((samples, network.units, 3))
    z = weights @ np.linalg.cholesky(np.array(network.gram)).T
    for _ in range(network.depth - 1):
        z = z - z.mean(axis=1, keepdims=True)
        z = network.phi(z / np.sqrt((z**2).mean(axis=1, keepdims=True))) / np.sqrt(network.units)
        z = generator.standard_normal((samples, network.units, network.units)) @ z
    z = z - z.mean(axis=1, keepdims=True)
    z = network.phi(z)
    z = z / np.sqrt((z**2).sum(axis=1, keepdims=True))
    pairs = ((0, 1), (0, 2), (1, 2))
    gaps = np.stack([1 - np.einsum("su,su->s", z[:, :, a], z[:, :, b]) for a, b in pairs], axis=1)
    return drawn | {"correlation_gap": gaps[:, None].astype(np.float32)}


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["not centred", "centred", "before", "plain", "one layer less"])
def test_other_networks_are_told_apart(fault: str) -> None:
    """What could be mixed up with a network is found to be another one, by the same test."""
    name = {"centred": "RMS norm, shaped", "plain": "pre-norm", "one layer less": "pre-norm"}.get(
        fault, "layer norm, shaped"
    )
    network, generator = NETWORKS[name], np.random.default_rng(3)
    layers = [network.depth]
    if fault == "before":
        drawn = before(network, layers, EVERYDAY, generator)
    elif fault == "plain":
        drawn = of_architecture("resnet", network, layers, EVERYDAY, generator)
    elif fault == "one layer less":
        drawn = network.kind.oracle(network, [3], EVERYDAY, generator)
    else:
        other = "layer_norm_mlp" if fault == "centred" else "rms_norm_mlp"
        drawn = of_architecture(other, network, layers, EVERYDAY, generator)
    ours = engine(network, EVERYDAY)
    assert smallest({key: ours[key] for key in drawn if key in ours}, drawn) < THRESHOLD / 10


@pytest.mark.parametrize("name", NETWORKS)
def test_bits_depend_on_nothing_but_the_sample(name: str) -> None:
    """Any split, any number of threads, any layers recorded besides."""
    network = NETWORKS[name]
    layers = list(range(network.depth + 1))
    whole = simulate_block(network, layers, 0, 40, engine="cpu", threads=1)
    parts = [simulate_block(network, layers, start, 20, engine="cpu", threads=2) for start in (0, 20)]
    last = simulate_block(network, [network.depth], 0, 40, engine="cpu")
    for key, values in whole.items():
        assert values.tobytes() == np.concatenate([part[key] for part in parts]).tobytes()
        ours = values[:, -1:] if values.ndim == 3 else values
        assert ours.tobytes() == last[key].tobytes()


@pytest.mark.parametrize("name", [name for name in NETWORKS if "pre" not in name])
def test_normalised_activations_have_unit_norm(name: str) -> None:
    drawn = engine(NETWORKS[name], 4096)["log_variance"]
    assert set(np.unique(drawn)) <= {0.0, -np.inf}


def test_rms_norm_has_the_directions_of_the_plain_perceptron() -> None:
    """In law, for every width and depth: the exact law of the plain one is that of the normalised one."""
    network = Network(ReluLike(0.5, -0.5), 24, 12, ((1.0, 0.3), (0.3, 1.0)), 0, HALF, "rms_norm_mlp")
    law = registry()["exact"].marginals(network, [12], "correlation")[0]
    assert distance(network, 12, law) < 1.95 / np.sqrt(1 << 17)
    assert registry()["exact"].refusal(network, "log_variance") is not None


def test_layer_norm_of_a_linear_network_takes_one_unit_away() -> None:
    network = Network(Identity(), 17, 9, ((1.0, 0.3), (0.3, 1.0)), architecture="layer_norm_mlp")
    law = registry()["exact"].marginals(network, [9], "correlation")[0]
    assert distance(network, 9, law) < 1.95 / np.sqrt(1 << 17)
    wider = registry()["exact"].marginals(replace(network, architecture="mlp"), [9], "correlation")[0]
    assert distance(network, 9, wider) > 1.95 / np.sqrt(1 << 17)


def distance(network: Network, layer: int, law: Any) -> float:
    """Kolmogorov distance of 2¹⁷ networks from a law: 1.95 / √N is exceeded once in a thousand times."""
    drawn = simulate_block(network, [layer], 0, 1 << 17, engine="cpu")["correlation_gap"][:, 0, 0]
    values = np.sort(1 - drawn.astype(float))
    heights, count = law.cdf(values), len(values)
    return float(
        max((np.arange(1, count + 1) / count - heights).max(), (heights - np.arange(count) / count).max())
    )


@pytest.mark.slow
def test_the_layer_norm_sde() -> None:
    """Quantiles that an independent Euler scheme found, κ = 4, ρ₀ = 0.6, t = 1; and networks approach it like 1 /
    n.
    """
    network = Network(ReluLike(1.0, -1.0), 64, 64, ((1.0, 0.6), (0.6, 1.0)), 0, HALF, "layer_norm_mlp")
    limits = registry()
    assert choose(network, "correlation").limit.name == "layer_norm_sde"
    assert choose(network, "correlation", matched=True).limit.name == "matched_layer_norm_sde"
    law = limits["layer_norm_sde"].marginals(network, [64], "correlation")[0]
    found = [float(law.quantile(level)) for level in (0.05, 0.25, 0.5, 0.75, 0.95)]
    assert found == pytest.approx([-0.657, 0.112, 0.684, 0.913, 0.988], abs=2.5e-3)
    scaled = []
    for width in (16, 32, 64):
        here = replace(network, width=width, depth=width)
        matched = limits["matched_layer_norm_sde"].marginals(here, [width], "correlation")[0]
        scaled.append(width * distance(here, width, matched))
        assert scaled[-1] <= width * limits["matched_layer_norm_sde"].error(here, width, "correlation")
    assert max(scaled) < 1.3 * min(scaled)


def test_infinite_width_with_layer_norm() -> None:
    """(c K₁(ρ) − A/π) / (1 − A/π), against the mean over many units drawn at once."""
    network = Network(
        ReluLike(0.3, -0.8), 1 << 20, 1, ((1.0, 0.6), (0.6, 1.0)), architecture="layer_norm_mlp"
    )
    drawn = 1 - simulate_block(network, [1], 0, 4, engine="cpu")["correlation_gap"][:, 0, 0].astype(float)
    law = registry()["infinite_width"].marginals(network, [1], "correlation")[0]
    assert drawn.mean() == pytest.approx(float(law.quantile(0.5)), abs=4 / 2**11)


@pytest.mark.parametrize(
    "start", [((1.0, 0.3), (0.3, 1.0)), ((1.0, 0.3), (0.3, 4.0)), ((1.0, -1.0), (-1.0, 1.0))]
)
def test_the_ode_of_pre_normalised_networks(start: tuple[tuple[float, ...], ...]) -> None:
    """Infinite width at finite depth approaches it like 1/d; wide networks are on it to their fluctuations."""
    limits, errors = registry(), []
    for depth in (50, 100, 200):
        network = Network(ReluLike(), 64, depth, start, architecture="pre_norm_resnet")
        pair = [
            limits[name].marginals(network, [depth], "correlation")[0]
            for name in ("pre_norm_ode", "infinite_width")
        ]
        errors.append(depth * abs(float(pair[0].quantile(0.5)) - float(pair[1].quantile(0.5))))
    assert max(errors) < 1.1 * min(errors) < 1.0
    wide = Network(ReluLike(), 2048, 48, start, architecture="pre_norm_resnet")
    drawn = simulate_block(wide, [24, 48], 0, 256, engine="cpu")
    for name, values in (
        ("correlation", 1 - drawn["correlation_gap"][:, :, 0].astype(float)),
        ("log_variance", drawn["log_variance"][:, :, 0].astype(float)),
    ):
        laws = limits["infinite_width"].marginals(wide, [24, 48], name)
        for at, law in enumerate(laws):
            spread = 4 * values[:, at].std() / 16 + 4 / 2048
            assert values[:, at].mean() == pytest.approx(float(law.quantile(0.5)), abs=spread)


def test_fluctuations_about_the_ode_have_a_variance_of_order_one_over_n() -> None:
    found = []
    for width in (64, 256, 1024):
        network = Network(ReluLike(), width, 32, ((1.0, 0.3), (0.3, 1.0)), architecture="pre_norm_resnet")
        drawn = simulate_block(network, [32], 0, 2048, engine="cpu")["correlation_gap"]
        found.append(width * float(drawn.astype(float).var()))
    assert max(found) < 1.2 * min(found)


BASE: dict[str, Any] = {
    "architecture": "layer_norm_mlp",
    "activation": {"name": "relu"},
    "width": 8,
    "depth": 4,
    "inputs": {"correlation": 0.3},
}
REFUSED = {
    "a smooth activation": ({"activation": {"name": "tanh"}}, "activation.name", "relu or leaky_relu"),
    "gradients": ({"record": {"gradients": True}}, "record.gradients", "no engine has the gradients"),
    "three units": ({"width": 3}, "", "4 units or more"),
    "z normalised": ({"normalise": "before"}, "normalise", "another network"),
    "a plain one that normalises": ({"architecture": "mlp", "normalise": "after"}, "normalise", "only a"),
    "a branch": ({"branch_exponent": 0.5}, "branch_exponent", "only a resnet"),
    "a start": ({"inputs": {"start": 1.0}}, "inputs.start", "only a resnet"),
    "shaping": (
        {"architecture": "pre_norm_resnet", "shaping": {"by": "width"}},
        "shaping",
        "scaled by d^-½",
    ),
    "widths of layers": (
        {"architecture": "pre_norm_resnet", "width": [4, 5], "depth": 2},
        "width",
        "have one width",
    ),
    "a vanishing input": (
        {"architecture": "pre_norm_resnet", "inputs": {"gram": [[1e-20]]}},
        "",
        "between 2^-40 and 2^40",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_supported_is_refused_with_the_reason(tmp_path: Path, case: str) -> None:
    changed, key, reason = REFUSED[case]
    path = tmp_path / "point.yaml"
    path.write_text(yaml.safe_dump(BASE | changed))
    with pytest.raises(InputError, match=re.escape(reason)) as error:
        load_point(path)
    assert error.value.key == key


def test_limits_of_plain_networks_refuse_normalised_ones() -> None:
    """By default, and by name; but for laws that are proven to be the same."""
    inputs = ((1.0, 0.3), (0.3, 1.0))
    layer_norm = Network(ReluLike(0.5, -0.5), 16, 8, inputs, 0, HALF, "layer_norm_mlp")
    pre_norm = Network(ReluLike(), 16, 8, inputs, architecture="pre_norm_resnet")
    for observable in ("correlation", "log_variance", "log_activation"):
        for network, own in (
            (layer_norm, {"layer_norm_sde", "matched_layer_norm_sde", "infinite_width"}),
            (pre_norm, {"pre_norm_ode", "infinite_width"}),
        ):
            assert {n for n, each in registry().items() if each.applies(network, observable)} <= own
