"""Which law answers where none is named: that of the finite network, one right to second order, or a limit; the same from Python
and on the command line, and always said.
"""

from __future__ import annotations

import pytest

import deeplimits
from deeplimits.activations import Activation, Identity, ReluLike, Smooth
from deeplimits.api import predict
from deeplimits.limits import variance_units
from deeplimits.networks.network import Network, Shaping

HALF = Shaping("width", 0.5)


def network(phi: Activation, width: int | tuple[int, ...], shaping: Shaping | None = None) -> Network:
    depth = 3 if isinstance(width, int) else len(width)
    return Network(phi, width, depth, ((1.0, 0.3), (0.3, 1.0)), shaping=shaping)


def chosen(given: Network, observable: str = "correlation") -> tuple[str, str]:
    about = deeplimits.limit(given, observable).about
    assert about is not None
    return about.limit, about.reason


@pytest.mark.parametrize(
    ("given", "observable", "limit", "reason"),
    [
        (network(Identity(), 40), "correlation", "exact", "the limit of its regime is linear"),
        (network(Identity(), 4), "correlation", "exact", "the limit of its regime is linear"),
        (
            network(ReluLike(0.0, -0.5), 16, HALF),
            "correlation",
            "exact",
            "the limit of its regime is correlation_sde",
        ),
        (network(ReluLike(), 8), "correlation", "exact", "the limit of its regime is unshaped"),
        (
            network(ReluLike(0.0, -0.5), (8, 16, 24), HALF),
            "correlation",
            "correlation_sde",
            "exact was not taken: layers of 3 widths need a kernel each",
        ),
        (network(ReluLike(), 7), "correlation", "unshaped", "8 units or more in every layer"),
        (network(ReluLike(), 3), "log_variance", "exact_variance", "the limit of its regime is variance"),
        (network(Smooth.of("tanh"), 40, HALF), "log_variance", "exact_variance", "smooth_variance"),
        (network(Smooth.of("tanh"), 16, HALF), "log_variance", "exact_variance", "smooth_variance"),
        (network(Smooth.of("tanh"), 15, HALF), "log_variance", "smooth_variance", "16 units or more"),
        (network(Smooth.of("tanh"), (40, 50, 60)), "variance", "infinite_width_fluctuations", "3 widths"),
        (network(Smooth.of("tanh"), 40, HALF), "correlation", "linear", ""),
    ],
)
def test_the_best_law_that_takes_seconds_is_taken_and_said(
    given: Network, observable: str, limit: str, reason: str
) -> None:
    taken, why = chosen(given, observable)
    if limit == "unsure":
        # of few layers the law to second order is taken only where it states that it is near
        stated = deeplimits.limit(given, name=taken).about
        assert stated is not None and stated.error is not None
        assert (stated.error <= 0.01) == (taken in {"second_order_sde", "linear_second_order"})
        assert taken in why or "stated error" in why or "the limit of its regime" in why
        return
    assert taken == limit
    assert reason in why


def test_a_step_that_is_not_resolved_leaves_the_limit_and_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variance_units, "_MOST_FREQUENCIES", 1)
    taken, why = chosen(network(Smooth.of("tanh(3 * x)"), 32), "log_variance")
    assert taken == "infinite_width_fluctuations"
    assert "exact_variance was not taken: " in why and "saturate together" in why


def test_python_and_the_command_line_agree_and_a_name_overrides() -> None:
    given = network(ReluLike(), 3)
    law = deeplimits.limit(given, "log_variance")
    answer = predict(given, "log_variance", None, None, ["0.5"], "options", simulated=64)
    assert (answer["limit"], answer["quantiles"]["0.5"]) == ("exact_variance", float(law.quantile(0.5)))
    assert answer["simulated"]["ks"] == pytest.approx(
        law.distance(_values(given)) if not answer["simulated"]["dead"] else answer["simulated"]["ks"]
    )
    named = predict(given, "log_variance", "variance", None, ["0.5"], "options")
    assert (named["limit"], named["reason"][:12]) == ("variance", "it was asked")


def _values(given: Network) -> list[float]:
    drawn = deeplimits.simulate(given, 64, layers=[given.depth]).log_variance
    return [float(each) for each in drawn.values[:, 0, 0]]
