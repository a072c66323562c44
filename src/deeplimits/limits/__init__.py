"""Limits: the laws that theory predicts, one file for each family, and their registry."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deeplimits.limits.base import Limit
    from deeplimits.networks.network import Network


@lru_cache
def registry() -> dict[str, Limit]:
    """Every limit by name, in the order of ``names.LIMIT_NAMES``."""
    from deeplimits.limits import (
        correlation,
        covariance,
        hayou,
        hayou_one_unit,
        hayou_ornstein_uhlenbeck,
        hayou_sampled,
        ode,
        resnet_ode,
        sampled,
        smooth,
        smooth_quarter,
        unshaped,
        variance,
    )
    from deeplimits.limits.names import LIMIT_NAMES

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
        ode.InfiniteWidth(),
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
    ]
    by_name = {limit.name: limit for limit in limits}
    return {name: by_name[name] for name in LIMIT_NAMES}


def default_limit(network: Network, observable: str) -> Limit:
    """The limit of the regime that a network is in: unshaped, or shaped with p below, at or above ½."""
    from deeplimits.limits.observables import parse

    limits = registry()
    if network.residual:
        kind = parse(observable).kind
        names = ("hayou_linear", "hayou_relu_n1", "ornstein_uhlenbeck", "mckean_vlasov", "hayou_sde")
        known = [limits[name] for name in names if kind in limits[name].observables]
        return next((limit for limit in known if limit.applies(network)), limits["hayou_sde"])
    if parse(observable).kind in ("variance", "log_variance"):
        smooth = limits["smooth_variance"]
        return smooth if smooth.applies(network) else limits["variance"]
    for name in ("linear", "unshaped", "correlation_sde", "correlation_ode"):
        if limits[name].applies(network):
            return limits[name]
    return limits["matched_sde"]
