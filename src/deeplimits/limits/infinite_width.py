"""The limit of infinite width at finite depth: V of the ``recursion``, a number at every layer."""

from __future__ import annotations

from collections.abc import Sequence

from deeplimits.architectures import architectures
from deeplimits.architectures.base import Architecture
from deeplimits.laws import Law, PointMass
from deeplimits.limits.base import Limit
from deeplimits.limits.recursion import covariances
from deeplimits.limits.regime import Regime
from deeplimits.limits.reliability import warning
from deeplimits.networks.network import Network


def _regime(architecture: Architecture) -> Regime:
    return Regime(architecture.families, uneven=architecture.uneven, architecture=architecture.name)


class InfiniteWidth(Limit):
    """The matrix V of a network of infinite width and finite depth: a number at every layer."""

    name = "infinite_width"
    label = "infinite width, a layer at a time"
    observables = ("correlation", "rescaled_correlation", "covariance", "variance", "log_variance")
    regimes = tuple(_regime(each) for each in architectures().own.values() if each.infinite_width)
    kind = "number"
    precedence = 100
    rate_reason = "a number: networks fluctuate about it, by infinite_width_fluctuations"
    equation = "V' = c E φ_s(u) φ_s(u)ᵀ, u ~ N(0, V), a layer at a time"
    source = "Li & Nica 2024, eq. (4.11), c K₁; Cho & Saul 2009"

    def regimes_for(self, network: Network) -> tuple[Regime, ...]:
        """With that of an architecture of another package, where it says what infinite width does."""
        name = network.architecture
        if any(each.is_of(name) for each in self.regimes) or name not in architectures():
            return self.regimes
        return (*self.regimes, _regime(network.kind)) if network.kind.infinite_width else self.regimes

    def laws(self, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        found = covariances(network, max(layers))
        return [PointMass(found[layer].observed(observable, layer)) for layer in layers]

    def warning(self, network: Network, layer: int, observable: str) -> str | None:
        return warning(network, layer, observable)
