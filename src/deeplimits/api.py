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
    """The reduced data of a study, opened lazily.

    Its attributes say what the store holds: ``title``, ``samples``, ``points``, and under ``made_from`` all
    of the study that its data depend on. ``stale`` says in what that differs from the study file and the
    configuration of today: an empty text where it does not, ``unknown`` where there is no configuration.

    Raises
    ------
    InputError
        If the folder of results is not there.
    StoreError
        If the study has not been aggregated.

    Warns
    -----
    StaleStore
        If the store is stale.
    """
    from deeplimits.store.place import find_place
    from deeplimits.store.staleness import compared, warn
    from deeplimits.store.studies import open_study_store, open_study_tree

    place = find_place(config, results, option="results")
    store = open_study_store(place.results, name)
    stale = compared(store, name, place.config) if place.config else "unknown"
    tree = open_study_tree(place.results, name)
    tree.attrs["stale"] = stale
    warn(stale if place.config else "")
    return tree


def open_samples(
    study: str, config: Path = DEFAULT_PATH, results: Path | None = None, **selection: Any
) -> list[xr.Dataset]:
    """The samples of a study's points, lazily, one dask-backed dataset a point; built from the catalogue
    without opening a container.

    Parameters
    ----------
    selection
        Keep only points with these values, such as ``width=64``; keys: the columns of ``sweep.axes.AXES``, by
        which the datasets are labelled too.

    Raises
    ------
    InputError
        If there is no such study or key, or no point with these values.
    """
    from deeplimits.store.place import find_place
    from deeplimits.store.samples import lazy_point
    from deeplimits.sweep.axes import AXES, axes_of

    place = find_place(config, results, option="results")
    settings = place.config or load_config(config)
    chosen = settings.study(study)
    found = [(point, axes_of(point.network)) for point in chosen.points]
    for key, value in selection.items():
        if key not in AXES:
            expected = "one of " + ", ".join(AXES)
            raise InputError("open_samples", key, value, expected, nearest_name(key, AXES))
        known = list(dict.fromkeys(axes[key] for _, axes in found))
        found = [(point, axes) for point, axes in found if axes[key] == value]
        if not found:
            expected = "one that points have: " + ", ".join(map(str, known))
            raise InputError("open_samples", key, value, expected)
    return [lazy_point(place.results, point, chosen.samples) for point, _ in found]


def query(sql: str, results: Path | None = None, config: Path = DEFAULT_PATH) -> pd.DataFrame:
    """Rows of one SELECT over the store; see ``store.query``. Warns of studies whose store is stale."""
    from deeplimits.store.place import find_place
    from deeplimits.store.query import run_query

    place = find_place(config, results, option="results")
    return run_query(place.results, sql, place.config)


def study_tables(config: Config, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the store of a study holds: its comparisons and its rates (distance ~ size^−exponent), rounded for
    reading; a column that is the same in all rows is left out.
    """
    from deeplimits.store.shown import shown_study

    found = shown_study(config.results, name)
    return found.comparison, found.rates
