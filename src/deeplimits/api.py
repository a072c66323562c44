"""The Python interface to networks and their laws, ``simulate`` and ``limit``; the command line uses the same
functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

import numpy as np

from deeplimits.analysis.predicted import not_finite, predicted
from deeplimits.engines.gradients.call import check_gradients
from deeplimits.errors import InputError
from deeplimits.laws import EmpiricalLaw
from deeplimits.networks.network import Network
from deeplimits.sweep.network_models import RecordModel
from deeplimits.sweep.point_files import check_network, load_point, point_of
from deeplimits.sweep.points import Point, recorded_layers
from deeplimits.sweep.validation import validated

if TYPE_CHECKING:
    import xarray as xr

    from deeplimits.laws import Law


def simulate(
    point: Point | Network | Mapping[str, Any] | str | Path,
    samples: int | tuple[int, int] = 8192,
    engine: str = "auto",
    *,
    layers: int | Sequence[int] | Literal["all"] | None = None,
    gradients: bool | None = None,
    output: bool | None = None,
) -> xr.Dataset:
    """Draw networks.

    Parameters
    ----------
    point
        A ``Network``; a ``Point``; the path of a point file; or a mapping with the keys of one.
    samples
        How many: N, the first N of them; or (a, b), those from number a up to b − 1. A number names a
        network: it is the same one, whatever is drawn with it.
    engine
        ``auto``: a graphics card where there is one, else the processor; ``cpu`` or ``cuda``: the same
        networks on either; ``oracle``: others of the same law, by drawing every weight matrix.
    layers, gradients, output
        What is recorded, in place of what the point says: a number of evenly spaced layers, a list of layers
        or ``all``; whether also gradients; whether also the output. By default 17 layers of a ``Network``.

    Returns
    -------
    ``log_variance`` [sample, record, input], ``correlation_gap`` [sample, record, cross] = 1 − ρ and what
    else was asked for, with coordinates ``sample`` and ``layer`` [record]; ``record`` runs over the recorded
    layers, ``cross`` over the pairs of inputs. The attributes of an array say what it holds.

    Raises
    ------
    InputError
        For whatever is wrong with the network or the numbers.

    Examples
    --------
    >>> inputs = {"correlation": 0.3}
    >>> network = {"activation": {"name": "tanh"}, "width": 30, "depth": 5, "inputs": inputs}
    >>> rho = 1 - simulate(network, 1024).correlation_gap.isel(record=-1, cross=0)
    >>> rho.shape
    (1024,)
    """
    import xarray as xr

    from deeplimits.engines import simulate_block
    from deeplimits.store.arrays import annotate
    from deeplimits.variables import CONTAINER

    chosen = _point(point)
    network = chosen.network
    first, stop = _range(samples)
    if layers is not None:
        model = validated(RecordModel, {"layers": _spec(layers)}, "simulate")
        chosen = replace(
            chosen, layers=recorded_layers(model.layers, network.depth, Path("simulate"), "layers")
        )
    wanted = chosen.gradients if gradients is None else gradients
    if wanted:
        check_gradients(network, "simulate")
    arrays = simulate_block(
        network,
        chosen.layers,
        first,
        stop - first,
        engine=engine,
        gradients=wanted,
        output=chosen.output if output is None else output,
    )
    drawn = xr.Dataset(
        {name: (CONTAINER[name].dimensions, array) for name, array in arrays.items()},
        coords={"sample": np.arange(first, stop), "layer": ("record", np.array(chosen.layers))},
        attrs={"physics": network.fingerprint},
    )
    return annotate(drawn, CONTAINER)


def limit(
    point: Point | Network | Mapping[str, Any] | str | Path,
    observable: str = "correlation",
    name: str | None = None,
    layer: int | None = None,
    *,
    matched: bool = False,
) -> Law:
    """The law that theory predicts for an observable of a network at a layer.

    Parameters
    ----------
    point
        A ``Network``; a ``Point``; the path of a point file; or a mapping with the keys of one.
    observable
        What is predicted, such as ``correlation``, ``log_variance`` or ``correlation_0_2``.
    name
        Name of the limit; by default the law of the finite network itself where it takes seconds
        (``exact``, ``exact_variance``), one right to second order where its error is small, and else the
        limit of the network's regime.
    layer
        From 0, the input, to the depth; the last by default.
    matched
        Take the law with the network's own constants, at its own widths and depth.

    Returns
    -------
    The law; its ``about`` says of which limit, observable, layer, time and network it is, why that limit was
    taken, what to mind, and the probability of an explosion.

    Raises
    ------
    InputError
        If there is no such limit or observable, or the limit is not about this network.

    Examples
    --------
    >>> inputs = {"correlation": 0.3}
    >>> network = {"activation": {"name": "tanh"}, "width": 300, "depth": 40, "inputs": inputs}
    >>> limit(network).about.limit
    'infinite_width_fluctuations'
    """
    if not isinstance(observable, str):
        raise InputError("limit", "observable", observable, "the name of an observable, such as correlation")
    if matched and name is not None:
        raise InputError("limit", "matched", name, "either matched or the name of a limit")
    if layer is not None:
        try:
            layer = index(layer)
        except TypeError:
            raise InputError("limit", "layer", layer, "a whole number") from None
    return predicted(_point(point, simulated=False).network, observable, name, layer, matched=matched)


def _point(point: Any, *, simulated: bool = True) -> Point:
    if isinstance(point, Mapping):
        return point_of(point, Path("point"), simulated=simulated)
    if isinstance(point, str | Path):
        return load_point(Path(point), simulated=simulated)
    if not isinstance(point, Point | Network):
        expected = "a Network, a Point, a mapping with the keys of a point file, or the path of one"
        raise InputError("network", "", point, expected)
    network = point if isinstance(point, Network) else point.network
    check_network(network, "network", simulated=simulated)
    if isinstance(point, Point):
        return point
    return Point(point, recorded_layers(RecordModel().layers, point.depth, Path("network"), "layers"))


def _spec(layers: Any) -> Any:
    """Layers as a file would say them; arrays are lists there, and their numbers are whole."""
    if isinstance(layers, int | str):
        return layers
    try:
        if isinstance(layers, Iterator):
            layers = list(layers)
        if isinstance(layers, SupportsIndex) and not getattr(layers, "ndim", 0):
            return index(layers)
        whole = [int(layer) for layer in layers]
        if all(one == layer for one, layer in zip(whole, layers, strict=True)):
            return whole
    except (TypeError, ValueError, OverflowError):
        pass
    raise InputError("simulate", "layers", layers, "a whole number, a list of whole numbers or all")


def _range(samples: int | tuple[int, int]) -> tuple[int, int]:
    expected = "how many, such as 8192, or two whole numbers (a, b) with 0 ≤ a < b ≤ 2^56"
    try:
        first, stop = (0, index(samples)) if isinstance(samples, SupportsIndex) else map(index, samples)
    except (TypeError, ValueError):
        raise InputError("simulate", "samples", samples, expected) from None
    if not 0 <= first < stop <= 1 << 56:
        raise InputError("simulate", "samples", samples, expected)
    return first, stop


def predict(
    network: Network,
    observable: str,
    name: str | None,
    layer: int | None,
    levels: Sequence[str],
    where: str | Path,
    *,
    matched: bool = False,
    simulated: int = 0,
) -> dict[str, Any]:
    """What ``deeplimits limit`` prints.

    Parameters
    ----------
    levels
        Levels of quantiles, as text; they are the keys of ``quantiles``.
    simulated
        Draw so many networks beside the law.

    Returns
    -------
    - ``limit``, ``source``, ``observable``, ``layer``, ``time``; ``reason``: why this limit;
    - where there is one, ``warning``: what to mind, and ``error``: the Kolmogorov distance of the network
      that the limit states;
    - ``mean``, ``std`` and ``quantiles`` by level as given; ``not_finite``: of those that are infinite, why;
    - where the limit can explode, ``explosion_probability`` by that time and ``explosion_probability_ever``;
    - of a sampled law ``samples``, and 95 % ``mean_interval`` and ``intervals`` of the quantiles;
    - ``network``: see ``analysis.described``; of networks drawn ``simulated``: see ``analysis.beside``.

    Raises
    ------
    InputError
        For what is wrong with the levels, and as ``limit`` does.
    """
    from deeplimits.analysis.described import described

    by_level = _levels(levels)
    law = predicted(network, observable, name, layer, matched=matched, where=where)
    about = law.about
    assert about is not None
    quantiles = {level: float(law.quantile(value)) for level, value in by_level.items()}
    answer: dict[str, Any] = {
        "limit": about.limit,
        "source": about.source,
        "observable": observable,
        "layer": about.layer,
        "time": about.time,
        "reason": about.reason,
        "mean": law.mean,
        "std": law.std,
        "quantiles": quantiles,
        "not_finite": not_finite(law, quantiles),
    }
    answer |= {
        name: value
        for name, value in (("warning", about.warning), ("error", about.error))
        if value is not None
    }
    if about.explosion_probability is not None:
        answer["explosion_probability"] = about.explosion_probability
        answer["explosion_probability_ever"] = about.explosion_probability_ever
    if isinstance(law, EmpiricalLaw):
        intervals = {level: law.quantile_interval(value) for level, value in by_level.items()}
        answer |= {"samples": len(law.samples), "mean_interval": law.mean_interval(), "intervals": intervals}
    answer["network"] = described(network)
    if simulated:
        from deeplimits.analysis.beside import beside

        answer["simulated"] = beside(law, simulated, by_level)
    return answer


def _levels(levels: Sequence[str]) -> dict[str, float]:
    expected = "numbers between 0 and 1, separated by commas"
    try:
        values = {level: float(level) for level in levels}
    except ValueError:
        raise InputError("--quantiles", "", ",".join(levels), expected) from None
    if not all(0 < value < 1 for value in values.values()):
        raise InputError("--quantiles", "", ",".join(levels), expected)
    return values
