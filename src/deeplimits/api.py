"""The Python interface: ``simulate``, ``limit``, ``open_study``, ``open_samples`` and ``query``; the command
line uses the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.errors import InputError, nearest_name, one_of
from deeplimits.laws import EmpiricalLaw
from deeplimits.limits import default_limit, registry
from deeplimits.limits.base import Limit
from deeplimits.limits.names import LIMIT_NAMES
from deeplimits.limits.observables import parse
from deeplimits.networks.network import Network
from deeplimits.sweep.activation import check_activation
from deeplimits.sweep.config import DEFAULT_PATH, Config, load_config
from deeplimits.sweep.points import Point, load_point

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from deeplimits.laws import Law


def simulate(
    point: Point | str | Path, samples: tuple[int, int] = (0, 8192), engine: str = "auto"
) -> xr.Dataset:
    """Draw samples [a, b) of a point.

    Parameters
    ----------
    point
        A ``Point``, or the path of a point file.
    samples
        Range of global sample indices; any range gives the same networks as any other range that holds them.
    engine
        ``auto``, ``cpu``, ``cuda`` or ``oracle``.

    Returns
    -------
    The arrays of ``engines.simulate_block`` (``log_variance`` [sample, record, input], ``correlation_gap``
    [sample, record, cross], …) with coordinates ``sample`` and ``layer``.
    """
    import xarray as xr

    from deeplimits.engines import simulate_block
    from deeplimits.store.container import DIMENSIONS

    chosen = _point(point)
    first, stop = samples
    arrays = simulate_block(
        chosen.network,
        chosen.layers,
        first,
        stop - first,
        engine=engine,
        gradients=chosen.gradients,
        output=chosen.output,
    )
    return xr.Dataset(
        {name: (DIMENSIONS[name], array) for name, array in arrays.items()},
        coords={"sample": np.arange(first, stop), "layer": ("record", np.array(chosen.layers))},
    )


def limit(
    point: Point | Network | str | Path,
    observable: str = "correlation",
    name: str | None = None,
    layer: int | None = None,
) -> Law:
    """The law that theory predicts for an observable of a network at a layer (the last, by default).

    Raises
    ------
    InputError
        If there is no such limit or observable, or the limit is not about this network.
    """
    if not isinstance(point, Network):
        point = (point if isinstance(point, Point) else load_point(Path(point), simulated=False)).network
    return _solve(point, observable, name, layer, "limit")[1]


def _point(point: Point | str | Path) -> Point:
    return point if isinstance(point, Point) else load_point(Path(point))


def _solve(
    network: Network, observable: str, name: str | None, layer: int | None, where: str | Path
) -> tuple[Limit, Law, int]:
    found = parse(observable, where, "observable")
    if name is not None and name not in LIMIT_NAMES:
        raise InputError(
            where, "limit", name, "one of " + ", ".join(LIMIT_NAMES), nearest_name(name, LIMIT_NAMES)
        )
    at = network.depth if layer is None else layer
    if not 0 <= at <= network.depth:
        raise InputError(where, "layer", at, f"a layer between 0 (the input) and the depth, {network.depth}")
    if found.inputs[-1] >= network.inputs:
        needed = f"at least {found.inputs[-1] + 1} inputs for {observable}"
        raise InputError(where, "inputs", network.inputs, needed)
    chosen = registry()[name] if name else default_limit(network, observable)
    if found.kind not in chosen.observables:
        raise InputError(
            where,
            "observable",
            observable,
            f"one that {chosen.name} speaks of: " + ", ".join(chosen.observables),
        )
    if not chosen.applies(network):
        others = [
            each.name
            for each in registry().values()
            if each.applies(network) and found.kind in each.observables
        ]
        raise InputError(where, "limit", chosen.name, one_of(others, "a limit that is about this network: "))
    if chosen.kind == "sampled":
        check_activation(network, where, "activation")
    return chosen, chosen.marginals(network, [at], observable)[0], at


def predict(
    network: Network,
    observable: str,
    name: str | None,
    layer: int | None,
    levels: Sequence[str],
    where: str | Path,
) -> dict[str, Any]:
    """What ``deeplimits limit`` prints: ``limit``, ``observable``, ``time``, ``mean``, ``std`` and
    ``quantiles`` by level as given.

    Where the limit can explode, also ``explosion_probability`` by that time and
    ``explosion_probability_ever``; of a sampled law ``samples``, and 95 % ``mean_interval`` and ``intervals``
    of the quantiles.
    """
    try:
        values = [float(level) for level in levels]
    except ValueError:
        raise InputError(
            "--quantiles", "", ",".join(levels), "numbers between 0 and 1, separated by commas"
        ) from None
    if not all(0 < value < 1 for value in values):
        raise InputError("--quantiles", "", ",".join(levels), "numbers between 0 and 1, separated by commas")
    chosen, law, at = _solve(network, observable, name, layer, where)
    quantiles = law.quantile(np.array(values))
    answer: dict[str, Any] = {
        "limit": chosen.name,
        "observable": observable,
        "time": chosen.time(network, at),
        "mean": law.mean,
        "std": law.std,
        "quantiles": {level: float(value) for level, value in zip(levels, quantiles, strict=True)},
    }
    seen = network.of_inputs(parse(observable).inputs)
    exploded, ever = chosen.explosion_probability(seen, at), chosen.explosion_probability_ever(seen)
    if exploded is not None:
        answer |= {"explosion_probability": exploded, "explosion_probability_ever": ever}
    if isinstance(law, EmpiricalLaw):
        intervals = {level: law.quantile_interval(value) for level, value in zip(levels, values, strict=True)}
        answer |= {"samples": len(law.samples), "mean_interval": law.mean_interval(), "intervals": intervals}
    return answer


def open_study(name: str, config: Path = DEFAULT_PATH, results: Path | None = None) -> xr.DataTree:
    """The reduced data of a study, opened lazily."""
    from deeplimits.store.studies import open_study_tree

    return open_study_tree(results or load_config(config).results, name)


def open_samples(
    study: str, config: Path = DEFAULT_PATH, results: Path | None = None, **selection: Any
) -> list[xr.Dataset]:
    """The samples of a study's points, lazily, one dask-backed dataset a point; built from the catalogue
    without opening a container.

    Parameters
    ----------
    selection
        Keep only points with these values, such as ``width=64``; keys: width, depth, seed, exponent.
    """
    from deeplimits.store.samples import lazy_point

    settings = load_config(config, {"results": str(results)} if results else None)
    chosen = settings.study(study)
    keys = ("width", "depth", "seed", "exponent")
    for key, value in selection.items():
        if key not in keys:
            raise InputError("open_samples", key, value, "one of " + ", ".join(keys), nearest_name(key, keys))
    points = [
        point
        for point in chosen.points
        if all(getattr(point.network, key) == value for key, value in selection.items())
    ]
    return [lazy_point(settings.results, point, chosen.samples) for point in points]


def query(sql: str, results: Path | None = None, config: Path = DEFAULT_PATH) -> pd.DataFrame:
    """Rows of one SELECT over the store; see ``store.query``."""
    from deeplimits.store.query import run_query

    return run_query(results or load_config(config).results, sql)


def study_tables(config: Config, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A study's comparisons and its rates (distance ~ size^−exponent), rounded for reading."""
    from deeplimits.store.query import run_query
    from deeplimits.store.studies import open_study_store

    study = config.study(name)
    open_study_store(config.results, study.name)
    # the root mean square stands for the Kolmogorov distance where the limit is a number
    rounded = [
        f"round(coalesce(ks_{part}, rms_{part}), 5) AS {part}"
        for part in ("value", "estimate", "low", "high", "floor")
    ]
    kind = "CASE WHEN ks_value IS NULL THEN 'rms' ELSE 'ks' END AS distance"
    columns = ", ".join(["network", "width", "depth", "compared", '"limit"', "at_time", kind, *rounded])
    where = f"WHERE study = '{study.name}'"
    comparison = run_query(
        config.results,
        f"SELECT {columns} FROM comparison {where} "
        "AND coalesce(ks_value, rms_value) IS NOT NULL ORDER BY ALL",
    )
    shown = ", ".join(f"round({part}, 3) AS {part}" for part in ("exponent", "low", "high"))
    rates = run_query(config.results, f'SELECT network, "limit", distance, {shown} FROM rates {where}')
    return comparison, rates
