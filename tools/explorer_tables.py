"""Compute the tables of the explorer: ``python tools/explorer_tables.py [TABLES…]`` (minutes each).

The correlation of two inputs for a grid of shaped ReLU networks, and the variance of one input for a grid of
shaped smooth ones: the law of the network itself, exactly where that takes seconds and from samples
elsewhere, of its limit n → ∞, and, of the correlation, of the equation with its own constants; and paths of
networks, layer by layer.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import deeplimits
from deeplimits.explorer import CORRELATION, LEVELS, PATHS, VARIANCE, View
from deeplimits.laws import EmpiricalLaw

SAMPLES = {"correlation": 1 << 16, "variance": 1 << 15}
EXACT_FROM = 32
"""Narrower networks are drawn: their exact laws take ten times as long."""

Array = NDArray[Any]


def fine(view: View) -> NDArray[np.float64]:
    """Where distribution functions are compared: far beyond what is drawn."""
    return np.linspace(view.at[0] - 4, view.at[-1] + 4, 4001)


def depth_of(width: int, ratio: float) -> int:
    """The number of layers."""
    return max(round(ratio * width), 1)


def two_inputs(slopes: tuple[float, float], exponent: float, width: int, ratio: float, rho: float) -> Any:
    """A point of the grid of correlations."""
    return {
        "activation": {"name": "relu", "c_plus": slopes[0], "c_minus": slopes[1]},
        "shaping": {"by": "width", "exponent": exponent},
        "width": width,
        "depth": depth_of(width, ratio),
        "inputs": {"correlation": rho},
    }


def one_input(phi: tuple[str, float], width: int, ratio: float) -> Any:
    """A point of the grid of variances."""
    return {
        "activation": {"name": phi[0], "center": phi[1]},
        "shaping": {"by": "width", "exponent": 0.5},
        "width": width,
        "depth": depth_of(width, ratio),
        "inputs": {"gram": [[1.0]]},
    }


def exact_or_drawn(point: Mapping[str, Any]) -> tuple[deeplimits.Law, bool]:
    """The law of the correlation in a network, and whether it is exact."""
    if point["width"] >= EXACT_FROM:
        with contextlib.suppress(deeplimits.InputError):
            return deeplimits.limit(point, name="exact"), True
    drawn = deeplimits.simulate(point, SAMPLES["correlation"], layers=[point["depth"]])
    return EmpiricalLaw.of(1 - drawn.correlation_gap.values.ravel().astype(float)), False


def limits_of(point: Mapping[str, Any]) -> list[deeplimits.Law]:
    """The limit of the correlation in its regime, and the matched equation."""
    exponent = point["shaping"]["exponent"]
    name = "correlation_ode" if exponent < 0.5 else "correlation_sde" if exponent == 0.5 else "linear"
    return [deeplimits.limit(point, name=name), deeplimits.limit(point, name="matched_sde")]


def density(law: deeplimits.Law, edges: NDArray[np.float64], step: float) -> NDArray[np.uint16]:
    """The density on the grid of a view in units of 1e-4, from differences of F; one number has none."""
    if law.std == 0:
        return np.zeros(len(edges) - 1, np.uint16)
    return np.minimum(np.rint(np.diff(law.cdf(edges)) / step * 1e4), 65535).astype(np.uint16)


def empty(view: View) -> dict[str, Array]:
    """Tables of the laws of a view."""
    shape, kinds = view.shape, view.kinds
    return {
        "density": np.zeros((*shape, kinds, len(view.at)), np.uint16),
        "quantiles": np.zeros((*shape, kinds, len(LEVELS)), np.float32),
        "distances": np.zeros((*shape, kinds - 1), np.float32),
    }


def fill(
    view: View, tables: dict[str, Array], place: tuple[int, ...], laws: Sequence[deeplimits.Law]
) -> None:
    """Keep the laws of a point: of the network first."""
    step, at = view.at[1] - view.at[0], view.values(fine(view))
    edges = view.values(np.append(view.at - step / 2, view.at[-1] + step / 2))
    for kind, law in enumerate(laws):
        tables["density"][(*place, kind)] = density(law, edges, step)
        tables["quantiles"][(*place, kind)] = law.quantile(list(LEVELS))
    tables["distances"][place] = [np.abs(laws[0].cdf(at) - law.cdf(at)).max() for law in laws[1:]]


def places(view: View, leave: Sequence[str] = ()) -> Iterator[tuple[tuple[int, ...], list[Any]]]:
    """Places of the grid and what is chosen there, without some of the axes."""
    axes = {name: values for name, values in view.axes.items() if name not in leave}
    for place in itertools.product(*(range(len(values)) for values in axes.values())):
        yield place, [values[index] for values, index in zip(axes.values(), place, strict=True)]


def paths_of(point: Mapping[str, Any], observable: str) -> Array:
    """Paths of networks from the inputs on, at as many layers of each width."""
    count, steps = PATHS
    layers = np.rint(np.linspace(0, point["depth"], steps)).astype(int)
    drawn = deeplimits.simulate(point, count, layers=layers.tolist())[observable].values[..., 0]
    return drawn.astype(np.float32)


def correlation() -> dict[str, Array]:
    """Tables of the correlation of two inputs."""
    view, tables = CORRELATION, empty(CORRELATION)
    tables["exact"] = np.zeros(view.shape, np.uint8)
    for place, chosen in places(view):
        point = two_inputs(*chosen)
        law, tables["exact"][place] = exact_or_drawn(point)
        fill(view, tables, place, [law, *limits_of(point)])
        say(point, not any(place[3:]))
    return tables


def correlation_paths() -> dict[str, Array]:
    """Paths of the correlation, as deep as the page goes: shallower networks are their first layers."""
    view = CORRELATION
    shape = tuple(len(values) for name, values in view.axes.items() if name != "ratio")
    found = np.zeros((*shape, *PATHS), np.float32)
    for place, (slopes, exponent, width, rho) in places(view, ["ratio"]):
        point = two_inputs(slopes, exponent, width, view.axes["ratio"][-1], rho)
        found[place] = 1 - paths_of(point, "correlation_gap")
    return {"paths": np.rint(found * 32767).astype(np.int16)}


def variance() -> dict[str, Array]:
    """Tables of the logarithm of the variance of one input, from one simulation for all depths."""
    view, tables = VARIANCE, empty(VARIANCE)
    tables["explosion"] = np.zeros((*view.shape, view.kinds), np.float32)
    tables["ever"] = np.zeros(view.shape[:1], np.float32)
    tables["paths"] = np.zeros((*view.shape[:2], *PATHS), np.float32)
    ratios = view.axes["ratio"]
    for place, (phi, width) in places(view, ["ratio"]):
        depths = [depth_of(width, ratio) for ratio in ratios]
        deepest = one_input(phi, width, ratios[-1])
        drawn = deeplimits.simulate(deepest, SAMPLES["variance"], layers=depths)
        first = drawn.exploded_at.values[:, 0]
        for k, depth in enumerate(depths):
            law = EmpiricalLaw.of(drawn.log_variance.values[:, k, 0].astype(float))
            limit = deeplimits.limit(one_input(phi, width, ratios[k]), "log_variance", name="smooth_variance")
            fill(view, tables, (*place, k), [law, limit])
            by_then = ((first >= 0) & (first <= depth)).mean()
            tables["explosion"][(*place, k)] = by_then, limit.about.explosion_probability or 0.0
            tables["ever"][place[0]] = limit.about.explosion_probability_ever or 0.0
        tables["paths"][place] = paths_of(deepest, "log_variance")
        say(deepest, True)
    return tables


def say(point: Mapping[str, Any], said: bool) -> None:
    """Tell how far it has come."""
    if said:
        sys.stdout.write(f"{point}\n")
        sys.stdout.flush()


TABLES = {"correlation": correlation, "correlation_paths": correlation_paths, "variance": variance}

if __name__ == "__main__":
    for name in sys.argv[1:] or TABLES:
        np.savez_compressed(CORRELATION.tables.with_name(f"{name}.npz"), **TABLES[name]())
