"""Smooth networks of large inputs: up to where engines have the digits of φ, and what is refused beyond."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import deeplimits
from deeplimits.activations import Smooth
from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.networks.network import Network, Shaping

BOUNDED = {"tanh": 1.0, "erf": 1.0, "sigmoid": 2.0}
NETWORKS = {
    f"{architecture}, {name}{', shaped' * shaped}": Network(
        Smooth.of(name, a),
        12,
        2,
        ((1.0,),),
        architecture=architecture,
        shaping=Shaping("width", 0.5) if shaped else None,
    )
    for name, a in BOUNDED.items()
    for architecture, shaped in (("mlp", False), ("mlp", True), ("resnet", False))
}
NETWORKS["from a negative number"] = Network(
    Smooth.of("tanh"), 12, 2, ((1.0,),), architecture="resnet", start=-1.0
)


def of_size(name: str, reach: float) -> Network:
    """The network with √V₀ of so many scales s."""
    network = NETWORKS[name]
    root = reach * float(network.scale)
    start = None if network.start is None else -root
    return replace(network, gram=((root * root,),), start=start)


@pytest.mark.parametrize("name", NETWORKS)
def test_bounded_activations_are_at_their_bounds(name: str) -> None:
    """Of inputs of just what is admitted, which have the activations of explicit weights."""
    network = of_size(name, 2.0**60)
    ours = deeplimits.simulate(network, 512)
    theirs = network.kind.oracle(network, range(3), 512, np.random.default_rng(1))
    seen, record = ("log_activation", 0) if network.residual else ("log_variance", 1)
    at = ours[seen].to_numpy()[:, record, 0]
    assert np.median(at) == pytest.approx(float(np.median(theirs[seen][:, record, 0])), abs=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_larger_inputs_are_refused(name: str) -> None:
    """The engines would lose φ, as they do of inputs a thousand times as large."""
    for reach in (2.0**60 * 1.001, 2.0**75):
        with pytest.raises(InputError, match=r"inputs: found square norms up to .*2\^60 times the scale"):
            deeplimits.simulate(of_size(name, reach), 16)
    seen, record = ("log_activation", 0) if NETWORKS[name].residual else ("log_variance", 1)
    held, lost = (
        simulate_block(of_size(name, reach), [0, 1], 0, 64)[seen][:, record] for reach in (2.0**60, 2.0**76)
    )
    assert (abs(lost - held) > 1).all()


def test_inputs_of_softplus_too_are_refused() -> None:
    """It is bounded on one side."""
    network = Network(Smooth.of("softplus"), 1, 2, ((1e30 * 1e30,),), architecture="resnet", start=-1e30)
    with pytest.raises(InputError, match=r"up to 1\.33e\+36"):
        deeplimits.simulate(network, 16)


@pytest.mark.parametrize("architecture", ["mlp", "resnet"])
@pytest.mark.parametrize("name", ["softplus", "x * exp(x) / (1 + exp(x))"])
def test_an_oracle_whose_numbers_overflow_is_refused(architecture: str, name: str) -> None:
    """Its networks would pass for dead ones. Engines have them, and the oracle those of smaller inputs."""
    network = Network(Smooth.of(name), 12, 3, ((1e6,),), architecture=architecture)
    with pytest.raises(InputError, match="found 'oracle', expected cpu or cuda: float64 does not hold"):
        simulate_block(network, range(4), 0, 64, engine="oracle")
    for size, engine in ((1e6, "cpu"), (100.0, "oracle")):
        drawn = simulate_block(replace(network, gram=((size,),)), range(4), 0, 64, engine=engine)
        assert np.isfinite(drawn["log_variance"]).all()
