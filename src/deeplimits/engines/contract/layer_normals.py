"""The normals of a layer, drawn for sixteen lanes of units at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from deeplimits.engines.contract.arithmetic import f4, inline, part, square_root, u4
from deeplimits.engines.contract.normals import cosine_sine, minus_two_log, normal_pair
from deeplimits.engines.contract.philox import halves, philox, sample_words
from deeplimits.engines.contract.shape import LANES, units_per_lane


class Stream(NamedTuple):
    """Words of a sample and a purpose, and of the key."""

    low: Any
    high: Any
    k0: Any
    k1: Any


@inline
def stream_of(key: Any, sample: Any, purpose: Any) -> Any:
    """The stream of a sample (int64)."""
    low, high = sample_words(sample, purpose)
    k0, k1 = halves(key)
    return Stream(low, high, k0, k1)


def fill(inputs: int) -> Callable[..., Any]:
    """A function that fills ``normals`` [unit of a lane · input, lane] for the units from ``start`` on, zero
    beyond the width: four units to a lane for one input, two for two, else one.
    """
    units = units_per_lane(inputs)
    calls = (inputs + 3) // 4

    @part
    def run(normals: Any, start: Any, width: Any, layer: Any, stream: Any) -> None:
        low, high, k0, k1 = stream
        for call in range(calls):
            for lane in range(LANES):
                unit = start + units * lane
                w0, w1, w2, w3 = philox(u4((unit // units) * calls + call), u4(layer), low, high, k0, k1)
                x0, x1 = normal_pair(w0, w1)
                x2, x3 = normal_pair(w2, w3)
                normals[4 * call, lane] = x0 if unit < width else f4(0)
                normals[4 * call + 1, lane] = x1 if unit + (units > 2) < width else f4(0)
                normals[4 * call + 2, lane] = x2 if unit + units // 2 < width else f4(0)
                normals[4 * call + 3, lane] = x3 if unit + units - 1 < width else f4(0)

    return run


@part
def fill_polar(polar: Any, normals: Any, start: Any, width: Any, layer: Any, stream: Any) -> None:
    """Fill ``polar`` [2 · 4, lane] with R², R, cos θ and sin θ of two units a lane, and ``normals`` [2 · 2,
    lane] with the normals that they make; zero beyond the width.
    """
    low, high, k0, k1 = stream
    for lane in range(LANES):
        unit = start + 2 * lane
        w0, w1, w2, w3 = philox(u4(unit // 2), u4(layer), low, high, k0, k1)
        radius = minus_two_log(w0)
        radius = radius if unit < width else f4(0)
        cosine, sine = cosine_sine(w1)
        root = square_root(radius)
        polar[0, lane], polar[1, lane], polar[2, lane], polar[3, lane] = radius, root, cosine, sine
        normals[0, lane], normals[1, lane] = root * cosine, root * sine
        radius = minus_two_log(w2)
        radius = radius if unit + 1 < width else f4(0)
        cosine, sine = cosine_sine(w3)
        root = square_root(radius)
        polar[4, lane], polar[5, lane], polar[6, lane], polar[7, lane] = radius, root, cosine, sine
        normals[2, lane], normals[3, lane] = root * cosine, root * sine
