"""Limits: the laws that theory predicts, one file for each family, and their registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        correlation,
        covariance,
        covariance_ode,
        gradient_growth,
        hayou,
        hayou_one_unit,
        hayou_ornstein_uhlenbeck,
        hayou_sampled,
        infinite_width,
        matched,
        ode,
        resnet_ode,
        sampled,
        smooth,
        smooth_decay,
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
        infinite_width.InfiniteWidth(),
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
    ]
    by_name = {limit.name: limit for limit in limits}
    return {name: by_name[name] for name in LIMIT_NAMES}


_CORRELATION = (
    "linear",
    "unshaped",
    "correlation_sde",
    "correlation_ode",
    "covariance_sde",
    "smooth_quarter",
    "smooth_decay",
    "covariance_ode",
    "infinite_width",
)
_VARIANCE = ("smooth_variance", "variance", "covariance_ode", "infinite_width")
_DEFAULTS = {
    "correlation": _CORRELATION,
    "rescaled_correlation": ("unshaped", "infinite_width"),
    "covariance": ("covariance_sde", "covariance_ode", "infinite_width"),
    "variance": _VARIANCE,
    "log_variance": _VARIANCE,
    "gradient_log_norm": ("gradient_growth",),
}
_FINITE_WIDTH = ("hayou_linear", "hayou_relu_n1", "ornstein_uhlenbeck", "mckean_vlasov", "hayou_sde")
_RESIDUAL = dict.fromkeys(
    ("log_variance", "log_activation", "log_growth", "ou_coordinate", "output"), _FINITE_WIDTH
) | {
    **dict.fromkeys(("correlation", "covariance", "variance"), ("resnet_ode", "infinite_width")),
    "gradient_log_norm": ("gradient_growth",),
}
"""By the kind of an observable, from the most particular limit to what is left."""
_MATCHED = {
    "correlation": ("matched_sde", "linear", "matched_covariance_sde", "unshaped"),
    "rescaled_correlation": ("unshaped",),
    "covariance": ("matched_covariance_sde",),
    "variance": ("matched_variance",),
    "log_variance": ("matched_variance",),
}


def default_limit(network: Network, observable: str) -> Limit:
    """The limit of the regime that a network is in: residual; or unshaped, or shaped with p below, at or
    above ½. Where none applies, the last one that speaks of the observable, whose message says what would.
    """
    return _first(_RESIDUAL if network.residual else _DEFAULTS, network, observable)


def matched_limit(network: Network, observable: str) -> Limit:
    """The law with the network's own constants, at its own widths and depth."""
    return _first(_MATCHED, network, observable)


def _first(names: Mapping[str, Sequence[str]], network: Network, observable: str) -> Limit:
    from deeplimits.limits.observables import parse

    kind, limits = parse(observable).kind, registry()
    speaking = [limit for limit in limits.values() if kind in limit.observables]
    if not speaking:
        raise InputError("limit", "observable", observable, "one that a limit speaks of")
    chosen = [limits[name] for name in names.get(kind, ())] or speaking
    return next((limit for limit in chosen if limit.applies(network)), chosen[-1])
