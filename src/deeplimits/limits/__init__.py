"""Limits: the laws that theory predicts, one file for each family, and their registry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from deeplimits.errors import InputError

if TYPE_CHECKING:
    from deeplimits.limits.base import Limit
    from deeplimits.networks.network import Network


@lru_cache
def registry() -> dict[str, Limit]:
    """Every limit by name, in the order of ``names.LIMIT_NAMES``."""
    from deeplimits.limits import (
        exact,
        exact_variance,
        gradient_growth,
        infinite_width,
        infinite_width_fluctuations,
        second_order,
    )
    from deeplimits.limits.mlp import (
        correlation,
        covariance,
        covariance_ode,
        sampled,
        smooth_decay,
        smooth_quarter,
        unshaped,
        variance,
    )
    from deeplimits.limits.mlp import correlation_ode as ode
    from deeplimits.limits.mlp import matched_variance as matched
    from deeplimits.limits.mlp import smooth_variance as smooth
    from deeplimits.limits.names import LIMIT_NAMES
    from deeplimits.limits.resnet import hayou, hayou_one_unit, hayou_sampled, resnet_ode
    from deeplimits.limits.resnet import ornstein_uhlenbeck as hayou_ornstein_uhlenbeck

    limits: list[Limit] = [
        correlation.CorrelationSde(),
        correlation.MatchedSde(),
        correlation.LinearCorrelation(),
        ode.CorrelationOde(),
        resnet_ode.ResnetOde(),
        unshaped.Unshaped(),
        unshaped.UnshapedCorrected(),
        unshaped.UnshapedEntrance(),
        unshaped.PrintedTheorem41(),
        variance.Variance(),
        smooth.SmoothVariance(),
        smooth_quarter.SmoothQuarter(),
        sampled.MarkovChain(),
        infinite_width.InfiniteWidth(),
        infinite_width_fluctuations.InfiniteWidthFluctuations(),
        sampled.CorrelationSdeEuler(),
        sampled.UnshapedEuler(),
        hayou.HayouLinear(),
        hayou_one_unit.HayouReluN1(),
        hayou_ornstein_uhlenbeck.OrnsteinUhlenbeckLimit(),
        hayou.QuasiGbm(),
        hayou.PrintedTheorem1(),
        hayou_sampled.HayouSde(),
        hayou.McKeanVlasov(),
        covariance.CovarianceSde(),
        covariance.MatchedCovarianceSde(),
        matched.MatchedVariance(),
        covariance_ode.CovarianceOde(),
        smooth_decay.SmoothDecay(),
        resnet_ode.PrintedEquation214(),
        gradient_growth.GradientGrowth(),
        second_order.SecondOrderSde(),
        second_order.LinearSecondOrder(),
        exact.Exact(),
        exact_variance.ExactVariance(),
    ]
    by_name = {limit.name: limit for limit in limits}
    return {name: by_name[name] for name in LIMIT_NAMES}


@dataclass(frozen=True, slots=True)
class Choice:
    """The limit that is taken for a network where none is named.

    Parameters
    ----------
    limit
        The limit.
    reason
        Why it was chosen, in words.
    """

    limit: Limit
    reason: str


def choose(network: Network, observable: str, *, matched: bool = False) -> Choice:
    """The limit of the regime that a network is in: residual; or unshaped, or shaped with p below, at or
    above ½; the most particular one that is for it. With ``matched``, the law with the network's own
    constants, at its own widths and depth.

    Raises
    ------
    InputError
        If no limit that may be chosen speaks of the observable of such a network; the message says what
        hinders the one that comes nearest.
    """
    from deeplimits.limits.regime import in_words
    from deeplimits.observables import parse

    found = parse(observable)
    order = "matched_precedence" if matched else "precedence"
    speaking = [limit for limit in registry().values() if found.kind in limit.spoken]
    if not speaking:
        spoken = sorted({kind for limit in registry().values() for kind in limit.spoken})
        raise InputError(
            "limit", "observable", observable, "one that a limit speaks of: " + ", ".join(spoken)
        )
    ranked = sorted(
        (limit for limit in speaking if getattr(limit, order) is not None),
        key=lambda limit: int(getattr(limit, order)),
    )
    for limit in ranked:
        if limit.refusal(network, observable) is None:
            seen = in_words(network.of_inputs(found.inputs))
            return Choice(limit, f"{seen}: {limit.label}")
    nearest = max(ranked or speaking, key=lambda limit: limit.nearness(network))
    constants = " with its own constants" if matched else ""
    raise InputError(
        "limit",
        "observable",
        observable,
        f"another network or observable: no law{constants} is known of {observable} of {in_words(network)}; "
        f"{nearest.name} speaks of it, but {nearest.refusal(network, observable)}",
    )


def default_limit(network: Network, observable: str) -> Limit:
    """The limit of the regime that a network is in; see ``choose``."""
    return choose(network, observable).limit


def matched_limit(network: Network, observable: str) -> Limit:
    """The law with the network's own constants; see ``choose``."""
    return choose(network, observable, matched=True).limit
