"""One-dimensional laws: milliseconds of one core for each, and errors of their quantiles; run this file.

The family is drawn over κ from 0.01 to 64, ρ₀ from −0.99 to 0.999999 and times from 0.01 to 20, each law
cold; the study is a phase diagram of 1,000 points, all of its laws together. Errors are those against nodes
four times as fine and the widest contour but one. A dense matrix exponential of 200 nodes, which laws were
made of before, stands beside.
"""

from __future__ import annotations

import time
from itertools import product

import numpy as np
from scipy.linalg import expm

from deeplimits.activations import ReluLike
from deeplimits.laws import Law
from deeplimits.limits.mlp.correlation import CORRELATION_CHART, correlation_diffusion
from deeplimits.limits.mlp.smooth_variance import ExplosiveLaw
from deeplimits.limits.solvers.fokker_planck import solve, tabulated
from deeplimits.limits.solvers.linear_sde import LinearSde
from deeplimits.limits.solvers.meshes import nodes_for, reach
from deeplimits.limits.solvers.resolvents import CONTOURS, profile
from deeplimits.limits.together import Request, marginals
from deeplimits.networks.network import Network, Shaping
from measure import keep, ratio

LAWS = 300
LEVELS = np.array([1e-4, 1e-3, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1 - 1e-4])
Member = tuple[float, float, float]
"""κ, artanh ρ₀ and time."""


def family() -> list[Member]:
    generator = np.random.default_rng(0)
    starts = np.arctanh([-0.99, -0.9, -0.5, 0.0, 0.3, 0.7, 0.95, 0.999, 0.999999])
    return [
        (
            float(np.exp(generator.uniform(np.log(0.01), np.log(64)))),
            float(generator.choice(starts)),
            float(np.exp(generator.uniform(np.log(0.01), np.log(20)))),
        )
        for _ in range(LAWS)
    ]


def solved(member: Member) -> Law:
    kappa, start, end = member
    return solve(correlation_diffusion(kappa), start, [end], lambda _: CORRELATION_CHART)[0]


def refined(member: Member) -> Law:
    kappa, start, end = member
    diffusion = correlation_diffusion(kappa)
    found = reach(diffusion, np.array([start]), np.ones(1), end)
    nodes, at = nodes_for(found, start, 4.0)
    masses = np.zeros(len(nodes))
    masses[at] = 1.0
    law = profile(diffusion, nodes, masses, end, CONTOURS[-2])
    kept = np.flatnonzero(law.density > 1e-11 * law.density.max())
    return tabulated(law.part(int(kept[0]), int(kept[-1]) + 1), CORRELATION_CHART)


def study() -> list[Request]:
    """Exponents, widths, depths and correlations of a phase diagram; the last layer."""
    exponents, widths = [k / 10 for k in range(1, 11)], [8, 12, 16, 24, 32, 48, 64, 96, 128, 192]
    return [
        (
            Network(ReluLike(0.0, -1.0), n, d, ((1.0, rho), (rho, 1.0)), shaping=Shaping("width", p)),
            [d],
            "correlation",
        )
        for p, n, d, rho in product(exponents, widths, [4, 8, 16, 32, 64], [0.0, 0.3])
    ]


def milliseconds(work: list[float]) -> dict[str, float]:
    return {
        "mean": float(np.mean(work)) * 1e3,
        "median": float(np.median(work)) * 1e3,
        "largest": max(work) * 1e3,
    }


def main() -> None:
    members = family()
    solved(members[0])
    times, errors = [], []
    for member in members:
        begun = time.process_time()
        law = solved(member)
        times.append(time.process_time() - begun)
        errors.append(float(np.abs(law.quantile(LEVELS) - refined(member).quantile(LEVELS)).max()))
    requests = study()
    begun = time.process_time()
    marginals("matched_sde", requests)
    together = (time.process_time() - begun) / len(requests)
    others = {}
    for name, make in {
        "unshaped, from w = 0.01": lambda: LinearSde(0.15, 2.0, 2.0).laws(
            0.01, [1.0], lambda _: CORRELATION_CHART
        ),
        "unshaped, from w = 0": lambda: LinearSde(0.15, 2.0, 2.0).laws(
            0.0, [1.0], lambda _: CORRELATION_CHART
        ),
        "explosive variance": lambda: ExplosiveLaw(1.0, 1.0, 0.6, True).cdf(0.0),
    }.items():
        make()
        begun = time.process_time()
        for _ in range(20):
            make()
        others[name] = (time.process_time() - begun) / 20 * 1e3
    generator = np.random.default_rng(0)
    dense = -np.cumsum(generator.random((200, 200)), axis=1) / 50
    beside = ratio(
        "a dense exponential of 200 nodes over a law, κ = 1, ρ₀ = 0.3, T = 1",
        lambda: [expm(dense) for _ in range(10)],
        lambda: [solved((1.0, float(np.arctanh(0.3)), 1.0)) for _ in range(10)],
        "none",
    )
    keep("laws", [beside])
    numbers = {
        **{
            f"a cold law of the family, milliseconds, {name}": value
            for name, value in milliseconds(times).items()
        },
        "a law of the study, all together, milliseconds": together * 1e3,
        **{f"{name}, milliseconds": value for name, value in others.items()},
        "error of quantiles of the family, largest": max(errors),
        "error of quantiles of the family, median": float(np.median(errors)),
    }
    for name, value in numbers.items():
        print(f"{name}: {value:.3g}")
    keep("laws_numbers", numbers)


if __name__ == "__main__":
    main()
