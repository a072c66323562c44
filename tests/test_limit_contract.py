"""Every limit × every network of ``limit_networks``: refused with a true reason, or a law that keeps its contract and whose stated
error is kept by simulated networks.
"""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from multiprocessing import get_context
from zlib import crc32

import numpy as np
import pytest

from deeplimits.engines import simulate_block
from deeplimits.errors import InputError
from deeplimits.laws import Law, PointMass, kolmogorov
from deeplimits.limits import registry
from deeplimits.limits.base import Limit
from deeplimits.networks.network import Network
from deeplimits.observables import OBSERVABLES, parse
from limit_networks import ANSWERED, NETWORKS

COUNT = 1 << 13
TESTS = 10_000
"""More than there are of laws held against networks."""
NOISE = float(np.sqrt(np.log(2 * TESTS / 1e-3) / (2 * COUNT)))
"""What COUNT networks may be from their own law, by Dvoretzky, Kiefer, Wolfowitz and Massart: exceeded by any of TESTS with a
chance of 1e-3.
"""
SLOW = {"hayou_sde", "covariance_sde", "matched_covariance_sde", "exact_variance", "neural_tangent_sde"}
"""Limits of many paths, or of a kernel of seconds: held against a ninth of the networks by default."""
LEVELS = np.array([1e-4, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1 - 1e-4])
_Z = np.linspace(-8.0, 8.0, 1601)


@dataclass(frozen=True)
class Held:
    """A law held against networks."""

    limit: str
    network: str
    observable: str
    layer: int
    error: float
    distance: float


@lru_cache(maxsize=2)
def drawn(network: Network, layers: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Networks of another seed than those whose laws are sampled."""
    gradients = network.kind.gradients and network.start is None and not hasattr(network.activation, "alpha")
    return simulate_block(network, layers, 1 << 20, COUNT, gradients=gradients, output=True)


def sample(
    found: dict[str, np.ndarray], network: Network, layers: Sequence[int], layer: int, name: str
) -> np.ndarray:
    """An observable of the networks that have it; one of dead networks is −∞ where the law speaks of all networks."""
    # 1 − ρ of antipodal inputs, stored in float32
    gap = found["correlation_gap"]
    arrays = found | {"correlation_gap": np.where(gap > 2 - 1e-6, np.float32(2), gap)}
    values = parse(name).of_arrays(arrays, layers.index(layer), layer, network)
    values = values[~np.isnan(values)]
    return values if name in ("log_variance", "variance") else values[values > -np.inf]


def check_law(law: Law) -> None:
    """The contract of a law: monotone, quantiles its inverse, its mean the integral, never NaN."""
    at = np.asarray(law.quantile(LEVELS))
    assert not np.isnan(at).any()
    assert (at[1:] >= at[:-1]).all()
    assert (np.asarray(law.cdf(at)) >= LEVELS - 1e-6).all()
    assert (np.asarray(law.below(at)) <= LEVELS + 1e-6).all()
    finite = at[np.isfinite(at)]
    if len(finite) > 1:
        between = np.linspace(finite[0], finite[-1], 257)
        values = np.asarray(law.cdf(between))
        assert (values[1:] >= values[:-1] - 1e-12).all()
        assert ((values >= 0) & (values <= 1)).all()
    assert not np.isnan(law.mean)
    assert not np.isnan(law.std)
    if np.isfinite(law.mean) and np.isfinite(law.std):
        weights = np.exp(-(_Z**2) / 2) / np.sqrt(2 * np.pi) * (_Z[1] - _Z[0])
        from scipy.special import ndtr

        values = np.asarray(law.quantile(np.clip(ndtr(_Z), 1e-15, 1 - 1e-15)))
        assert float(weights @ values) == pytest.approx(
            law.mean, abs=0.01 * law.std + 1e-9 * abs(law.mean) + 1e-12
        )


def held(name: str, network: Network, limits: Sequence[Limit]) -> Iterator[Held]:
    """What every limit says of a network, held against its contract and against simulated networks."""
    few = sorted({0, 1, max(1, network.depth // 3), network.depth})
    for limit in limits:
        for observable in limit.observables:
            reason = limit.refusal(network, observable)
            if reason is not None:
                assert reason.startswith(
                    ("it is for networks with ", "it speaks of ", f"{observable} is about")
                ), reason
                continue
            record = OBSERVABLES[observable]
            layers = [*range(network.depth + 1)] if record.all_layers else few
            asked = few[1:] if "record" in record.dimensions else [network.depth]
            try:
                laws = limit.marginals(network, asked, observable)
            except InputError:
                continue
            assert [limit.time(network, layer) for layer in asked] == sorted(
                limit.time(network, layer) for layer in asked
            )
            for layer, law in zip(asked, laws, strict=True):
                try:
                    check_law(law)
                    stated = limit.error(network, layer, observable, law)
                except Exception as error:
                    error.add_note(f"{limit.name} of {observable} at layer {layer} of {name}")
                    raise
                assert 0 <= stated <= 1
                assert isinstance(law, PointMass) or not limit.is_number(observable)
                values = sample(drawn(network, tuple(layers)), network, layers, layer, observable)
                if len(values) > COUNT // 2:
                    yield Held(limit.name, name, observable, layer, stated, kolmogorov(law, values))
            if limit.kind == "law" and len(asked) > 1:
                (alone,) = limit.marginals(network, asked[-1:], observable)
                one, other = (np.asarray(law.quantile(LEVELS)) for law in (alone, laws[-1]))
                finite = np.isfinite(one)
                assert (finite == np.isfinite(other)).all()
                assert np.allclose(one[finite], other[finite], rtol=1e-6, atol=1e-4 * _width(one[finite]))


def _width(values: np.ndarray) -> float:
    return float(np.ptp(values)) if len(values) else 0.0


def broken(cases: Sequence[Held]) -> list[Held]:
    """Where networks are further from a law than it states, beyond their noise."""
    return [case for case in cases if case.distance > case.error + NOISE]


def limits_for(name: str, *, everything: bool) -> list[Limit]:
    """All limits; those of many paths for a ninth of the networks only, unless asked for ``everything``."""
    few = everything or crc32(name.encode()) % 9 == 0
    return [limit for limit in registry().values() if few or limit.name not in SLOW]


DRAWN = [name for name in NETWORKS if crc32(name.encode()) % 16 == 1]
"""A fixed sixteenth of the networks, for every day."""


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_a_limit_refuses_or_keeps_what_it_states(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert broken(list(held(name, NETWORKS[name], limits_for(name, everything=False)))) == []


@pytest.mark.parametrize("name", registry())
def test_a_limit_answers_the_networks_that_it_is_for(name: str) -> None:
    limit = registry()[name]
    for pattern in ANSWERED[name]:
        meant = [network for network in NETWORKS if fnmatchcase(network, pattern)]
        assert meant, pattern
        for network in meant:
            refusals = [limit.refusal(NETWORKS[network], observable) for observable in limit.observables]
            assert None in refusals, f"{network}: {refusals}"


def all_held(name: str) -> tuple[list[Held], list[str]]:
    """What every limit says of a network, and where one breaks its contract, however many do."""
    cases, failures = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for limit in registry().values():
            try:
                cases += held(name, NETWORKS[name], [limit])
            except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError, Warning) as error:
                failures.append("".join(traceback.format_exception(error)))
    return cases, failures


@pytest.mark.exhaustive
def test_all_limits_keep_what_they_state_of_all_networks(record_property) -> None:
    """And what they state is at most three times the distance that is measured, in the median; the noise of the networks is
    part of the measurement.
    """
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        found = list(pool.map(all_held, NETWORKS))
    cases = [case for each, _ in found for case in each]
    failures = [failure for _, each in found for failure in each]
    laws = [case for case in cases if 0 < case.error < 1]
    asked = sum(len(limit.observables) for limit in registry().values()) * len(NETWORKS)
    answered = len({(case.limit, case.network, case.observable) for case in cases})
    figures = {
        "networks": len(NETWORKS),
        "pairs of limit and observable × networks": asked,
        "compared with networks": answered,
        "share refused or not compared": 1 - answered / asked,
        "median of stated over measured": float(np.median([case.error / case.distance for case in laws])),
    }
    for kind in ("law", "sampled"):
        ratios = [case.error / case.distance for case in laws if registry()[case.limit].kind == kind]
        figures[f"median of kind {kind}, of {len(ratios)}"] = float(np.median(ratios))
    record_property("figures", figures)
    assert failures == []
    assert broken(cases) == []
    assert figures["median of stated over measured"] <= 3
