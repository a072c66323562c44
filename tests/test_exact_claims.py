"""Statistics of claims that ask the exact law of finite networks: known distances and probabilities, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from deeplimits.activations import Identity, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.claims.equivalence import NoEvidence
from deeplimits.claims.evidence import Evidence
from deeplimits.limits import registry
from deeplimits.limits.accuracy import apart
from deeplimits.networks.network import Network, Shaping
from deeplimits.sweep.axes import axes_of
from deeplimits.sweep.columns import NEEDED, perceptron_of
from known_stores import statistic, store, verdict

PAIR = ((1.0, 0.3), (0.3, 1.0))
NETWORKS = [
    Network(Identity(), 40, 10, PAIR),
    Network(ReluLike(0.5, -0.25), (3, 4), 2, ((2.0,),), 7, Shaping("depth", 0.5)),
    Network(Smooth.of("softplus", 2.0, -1.0), 40, 5, ((1.0,),), shaping=Shaping("width", 0.25)),
]


def evidence(networks: list[Network]) -> Evidence:
    """A store without data, of which only the columns of its points are known."""
    rows = [{name: value for name, value in axes_of(each).items() if name != "inputs"} for each in networks]
    found = store([{"width": int(row["width"]), "depth": int(row["depth"])} for row in rows])
    columns: dict[str, Any] = {name: ("point", [row[name] for row in rows]) for name in rows[0]}
    found.study["/moments"] = found.study["/moments"].assign_coords(columns)
    return found


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_a_perceptron_is_made_of_its_columns(network: Network) -> None:
    again = perceptron_of({name: axes_of(network)[name] for name in NEEDED})
    assert again is not None
    assert again.canonical_form() == network.canonical_form()


def test_other_networks_are_not() -> None:
    for other in (
        Network(ReluLike(), 4, 2, ((1.0,),), architecture="resnet"),
        Network(OrnsteinUhlenbeck(), 1, 2, ((1.0,),), architecture="resnet"),
    ):
        assert perceptron_of(axes_of(other)) is None


def test_the_distance_of_the_exact_law_has_no_noise() -> None:
    network = NETWORKS[0]
    laws = [registry()[name].marginals(network, [10], "correlation")[0] for name in ("exact", "linear")]
    chosen = statistic("exact_to_limit", observable="correlation", limit="linear", times_width=1.0)
    (effect,) = chosen.effects(evidence([network]))
    assert effect.value == pytest.approx(40 * apart(laws[0], laws[1]), rel=1e-9)
    assert effect.error == pytest.approx(4e-5)
    assert verdict(evidence([network]), chosen, 0.5) == "holds"
    assert verdict(evidence([network]), chosen, 0.1) == "fails"


def test_points_whose_law_is_not_known_are_left_out() -> None:
    chosen = statistic("exact_to_limit", observable="correlation", limit="linear")
    with pytest.raises(NoEvidence, match="nothing to measure"):
        chosen.effects(evidence(NETWORKS[1:2]))


@pytest.mark.parametrize("at", [2.0, 1e308])
def test_a_time_beyond_the_last_layer_has_no_evidence(at: float) -> None:
    chosen = statistic("exact_to_limit", observable="correlation", limit="linear", at=at)
    with pytest.raises(NoEvidence, match="lies beyond its last layer"):
        chosen.effects(evidence(NETWORKS[:1]))


def test_exact_masses_of_the_variance() -> None:
    network = NETWORKS[2]
    law = registry()["exact_variance"].marginals(network, [5], "variance")[0]
    square = float(network.scale) ** 2
    chosen = statistic("exact_mass", observable="variance", above=0.1, below="explosion")
    (effect,) = chosen.effects(evidence([network]))
    assert effect.value == pytest.approx(float(law.below(square) - law.cdf(0.1)), abs=1e-12)
    (all_of_it,) = statistic("exact_mass", observable="variance", expected=1.0).effects(evidence([network]))
    assert all_of_it.value == pytest.approx(0.0, abs=1e-9)
