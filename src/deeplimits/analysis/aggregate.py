"""Aggregation: a study's blocks reduced to laws, moments, comparisons and rates, in one Zarr store that
figures and queries read.

The store is an xarray DataTree with groups ``moments`` and ``laws`` (dimensions point, record, observable),
``limits`` and ``comparison`` (point, entry: the study's ``compare`` list), ``rates``, ``joint``,
``events``, ``paths``, ``groups`` and ``growth``. It is written aside and renamed, and a receipt with its
digest follows.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from zarr.errors import UnstableSpecificationWarning

from deeplimits import __version__
from deeplimits.activations import OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.analysis.deviations import Deviations, root_mean_square
from deeplimits.analysis.distances import Distance, comparable, distances
from deeplimits.analysis.events import events, paths
from deeplimits.analysis.groups import groups
from deeplimits.analysis.growth_table import growth_table
from deeplimits.analysis.joint import joint
from deeplimits.analysis.labels import label_of
from deeplimits.analysis.rates import fit_rate
from deeplimits.analysis.reduce import BINS, LEVELS, Reduced, reduce_point
from deeplimits.laws import Law
from deeplimits.limits import registry
from deeplimits.limits.observables import parse
from deeplimits.networks.network import Network
from deeplimits.store.atomic import write_text, written_aside
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.paths import study_receipt, study_store
from deeplimits.sweep.comparisons import compared_layers, is_recorded
from deeplimits.sweep.study import Study

GRID = 401
"""Points at which densities of limits are kept."""
DISTANCES = ("ks", "wasserstein", "rms")


class LawCache:
    """Laws of limits, solved once for each network, whatever its seed."""

    def __init__(self) -> None:
        self._laws: dict[tuple[Any, ...], list[Law]] = {}

    def laws(self, name: str, network: Network, layers: Sequence[int], observable: str) -> list[Law]:
        """Laws of ``observable`` at ``layers``."""
        physics = network.physics()
        if registry()[name].deterministic:
            del physics["seed"]
        key = (name, json.dumps(physics, sort_keys=True), tuple(layers), observable)
        if key not in self._laws:
            self._laws[key] = registry()[name].marginals(network, layers, observable)
        return self._laws[key]


def aggregate_study(study: Study, results: Path) -> Path:
    """Reduce ``study`` and write its store; returns the receipt.

    Raises
    ------
    InputError
        If a comparison cannot be made.
    StoreError
        If blocks are missing or cannot be read.
    """
    tree = build_tree(study, Catalogue(results))
    store, receipt = study_store(results, study.name), study_receipt(results, study.name)
    receipt.unlink(missing_ok=True)
    with written_aside(store) as aside, warnings.catch_warnings():
        # names are stored as fixed-length text, whose Zarr v3 data type every reader in use knows but no
        # specification names yet
        warnings.simplefilter("ignore", UnstableSpecificationWarning)
        tree.to_zarr(aside, zarr_format=3, consolidated=False, mode="w")
    body = {
        "format": 1,
        "study": study.name,
        "samples": study.samples,
        "sha256": folder_digest(store),
        "deeplimits": __version__,
    }
    write_text(receipt, json.dumps(body, sort_keys=True, indent=1) + "\n")
    return receipt


def folder_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all files below ``folder``."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(
            path.relative_to(folder).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest()
        )
    return digest.hexdigest()


def build_tree(study: Study, catalogue: Catalogue) -> xr.DataTree:
    """The reduced data of a study."""
    cache = LawCache()
    names = _observables(study)
    records = max(len(point.layers) for point in study.points)
    shape = (len(study.points), records, len(names))
    moments = {name: np.full(shape, np.nan) for name in ("mean", "std")} | {
        name: np.zeros(shape, np.int64) for name in ("count", "dead")
    }
    quantiles = np.full((*shape, len(LEVELS)), np.nan)
    edges, counts = np.full((*shape, BINS + 1), np.nan), np.zeros((*shape, BINS), np.int64)
    layers = np.full(shape[:2], -1, np.int64)
    entries = len(study.compare)
    limit_quantiles = np.full((shape[0], records, entries, len(LEVELS)), np.nan)
    limit_time = np.full((shape[0], records, entries), np.nan)
    density_x, density = (np.full((shape[0], entries, GRID), np.nan) for _ in range(2))
    compared: dict[str, np.ndarray[Any, Any]] = {
        f"{name}_{part}": np.full((shape[0], entries), np.nan)
        for name in DISTANCES
        for part in Distance.__dataclass_fields__
    }
    compared |= {name: np.full((shape[0], entries), np.nan) for name in ("limit_mean", "limit_std")}
    at_layer, at_time = np.full((shape[0], entries), -1, np.int64), np.full((shape[0], entries), np.nan)
    found: dict[tuple[int, int], dict[str, Distance]] = {}
    for i, point in enumerate(study.points):
        layers[i, : len(point.layers)] = point.layers
        tasks = [
            (name, record, layer)
            for record, layer in enumerate(point.layers)
            for name in names
            if is_recorded(name, point, layer)
        ]
        comparisons, used = [], []
        for j, entry in enumerate(study.compare):
            chosen = compared_layers(entry, point, study.path, j)
            if chosen is None:
                continue
            limit = registry()[entry.limit]
            record = -1
            laws = cache.laws(entry.limit, point.network, chosen, entry.observable)
            for layer, law in zip(chosen, laws, strict=True):
                record = point.layers.index(layer)
                limit_quantiles[i, record, j] = law.quantile(np.array(LEVELS))
                limit_time[i, record, j] = limit.time(point.network, layer)
            at_layer[i, j], at_time[i, j] = chosen[-1], limit_time[i, record, j]
            compared["limit_mean"][i, j], compared["limit_std"][i, j] = laws[-1].mean, laws[-1].std
            if comparable(laws[-1]):
                comparisons.append((entry.observable, record, chosen[-1], laws[-1]))
                used.append(j)
        reduced, cells = reduce_point(list(catalogue.locations(point, study.samples)), tasks, comparisons)
        for (name, record, _), kept in zip(tasks, reduced, strict=True):
            _keep(kept, (i, record, names.index(name)), moments, quantiles, edges, counts)
        for j, (name, record, _, law), count in zip(used, comparisons, cells, strict=True):
            if isinstance(count, Deviations):
                if count.count:
                    found[i, j] = {"rms": root_mean_square(count)}
                continue
            ends = edges[i, record, names.index(name)]
            low, high = ends[0], ends[-1]
            reach = (high - low) / 4
            bounded = parse(name).kind == "correlation"
            density_x[i, j] = np.linspace(
                max(low - reach, -1.0) if bounded else low - reach,
                min(high + reach, 1.0) if bounded else high + reach,
                GRID,
            )
            density[i, j] = law.density(density_x[i, j])
            if count.sum():
                found[i, j] = distances(law, count, f"{study.name}/{i}/{j}/{study.samples}")
        for j in used:
            for name, distance in found.get((i, j), {}).items():
                for part in Distance.__dataclass_fields__ if name in study.compare[j].distances else ():
                    compared[f"{name}_{part}"][i, j] = getattr(distance, part)
    coordinates = _coordinates(study, layers)
    per_record = ("point", "record", "observable")
    entry_names = {
        "limit": ("entry", [entry.limit for entry in study.compare]),
        "compared": ("entry", [entry.observable for entry in study.compare]),
    }
    level = ("level", list(LEVELS))
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs={"study": study.name, "title": study.title, "samples": study.samples}),
            "/moments": xr.Dataset(
                {name: (per_record, array) for name, array in moments.items()},
                coordinates | {"observable": ("observable", list(names))},
            ),
            "/laws": xr.Dataset(
                {
                    "quantile": ((*per_record, "level"), quantiles),
                    "bin_edge": ((*per_record, "edge"), edges),
                    "bin_count": ((*per_record, "bin"), counts),
                },
                coordinates | {"observable": ("observable", list(names)), "level": level},
            ),
            "/limits": xr.Dataset(
                {
                    "quantile": (("point", "record", "entry", "level"), limit_quantiles),
                    "time": (("point", "record", "entry"), limit_time),
                    "density_x": (("point", "entry", "x"), density_x),
                    "density": (("point", "entry", "x"), density),
                },
                coordinates | entry_names | {"level": level},
            ),
            "/comparison": xr.Dataset(
                {name: (("point", "entry"), array) for name, array in compared.items()}
                | {"at_layer": (("point", "entry"), at_layer), "at_time": (("point", "entry"), at_time)},
                coordinates | entry_names,
            ),
            "/rates": _rates(study, found),
            "/joint": joint(study, catalogue, coordinates, names, edges),
            "/events": events(study, catalogue, coordinates),
            "/paths": paths(study, catalogue, coordinates),
            "/groups": groups(study, catalogue, coordinates, _scaled(study, names, moments), names),
            "/growth": growth_table(study),
        }
    )


_ALWAYS = (
    "log_variance",
    "correlation",
    "log_growth",
    "gradient_log_norm",
    "gradient_gap",
    "output",
    "standard_output",
)


def _observables(study: Study) -> tuple[str, ...]:
    """What is reduced: what every study of such networks is asked for, and whatever else is compared."""
    names = [
        name for name in _ALWAYS if any(is_recorded(name, point, point.layers[-1]) for point in study.points)
    ]
    return tuple(dict.fromkeys([*names, *(entry.observable for entry in study.compare)]))


def _scaled(
    study: Study, names: Sequence[str], moments: dict[str, Any]
) -> list[list[tuple[str, int, int, float, float]]]:
    """For each point, the observables at its last record with their means and standard deviations."""
    found = []
    for i, point in enumerate(study.points):
        record, layer = len(point.layers) - 1, point.layers[-1]
        at = [(name, (i, record, j)) for j, name in enumerate(names) if is_recorded(name, point, layer)]
        scales = [(float(moments["mean"][place]), float(moments["std"][place]) or 1.0) for _, place in at]
        found.append([(name, record, layer, *scale) for (name, _), scale in zip(at, scales, strict=True)])
    return found


def _keep(
    kept: Reduced, at: tuple[int, int, int], moments: dict[str, Any], quantiles: Any, edges: Any, counts: Any
) -> None:
    for name in ("mean", "std", "count", "dead"):
        moments[name][at] = getattr(kept, name)
    quantiles[at], edges[at], counts[at] = kept.quantiles, kept.histogram.edges, kept.histogram.counts


def _coordinates(study: Study, layers: Any) -> dict[str, Any]:
    networks = [point.network for point in study.points]
    activations = [network.activation for network in networks]
    return {
        "width": ("point", [network.width for network in networks]),
        "depth": ("point", [network.depth for network in networks]),
        "exponent": ("point", [network.exponent for network in networks]),
        "architecture": ("point", [network.architecture for network in networks]),
        "branch_exponent": (
            "point",
            [network.branch_exponent if network.residual else np.nan for network in networks],
        ),
        "start": ("point", [np.nan if network.start is None else network.start for network in networks]),
        "activation": ("point", [type(a).__name__.lower().removesuffix("like") for a in activations]),
        "c_plus": ("point", [a.c_plus if isinstance(a, ReluLike) else 0.0 for a in activations]),
        "c_minus": ("point", [a.c_minus if isinstance(a, ReluLike) else 0.0 for a in activations]),
        "formula": ("point", [a.formula if isinstance(a, Smooth) else "" for a in activations]),
        "a": ("point", [a.a if isinstance(a, Smooth) else np.nan for a in activations]),
        "center": ("point", [a.center if isinstance(a, Smooth) else np.nan for a in activations]),
        "alpha": ("point", [a.alpha if isinstance(a, OrnsteinUhlenbeck) else np.nan for a in activations]),
        "beta": ("point", [a.beta if isinstance(a, OrnsteinUhlenbeck) else np.nan for a in activations]),
        "correlation_0": (
            "point",
            [network.correlation() if network.inputs > 1 else np.nan for network in networks],
        ),
        "seed": ("point", [network.seed for network in networks]),
        "inputs": ("point", [network.inputs for network in networks]),
        "normals": ("point", [network.normals_per_sample for network in networks]),
        "physics": ("point", [network.physics_hash for network in networks]),
        "network": ("point", [label_of(network) for network in networks]),
        "layer": (("point", "record"), layers),
    }


def _rates(study: Study, found: dict[tuple[int, int], dict[str, Distance]]) -> xr.Dataset:
    """One row for each entry with ``rate_in``, distance and curve: the points that agree in all but width and
    depth.
    """
    rows: dict[str, list[Any]] = {
        name: []
        for name in (
            "entry",
            "limit",
            "network",
            "distance",
            "exponent",
            "low",
            "high",
            "constant",
            "chi_square",
            "points",
        )
    }
    for j, entry in enumerate(study.compare):
        if entry.rate_in is None:
            continue
        curves: dict[tuple[Any, ...], list[int]] = {}
        for i, point in enumerate(study.points):
            if (i, j) in found:
                curves.setdefault(
                    (label_of(point.network), point.network.gram, point.network.seed), []
                ).append(i)
        for (label, _, _), members in curves.items():
            for name in entry.distances:
                if name not in found[members[0], j]:
                    continue
                sizes = [getattr(study.points[i].network, entry.rate_in) for i in members]
                rate = fit_rate(sizes, [found[i, j][name] for i in members])
                if rate is None:
                    continue
                values = (
                    j,
                    entry.limit,
                    label,
                    name,
                    rate.exponent,
                    rate.low,
                    rate.high,
                    rate.constant,
                    rate.chi_square,
                    rate.points,
                )
                for column, value in zip(rows, values, strict=True):
                    rows[column].append(value)
    kinds: dict[str, Any] = {
        "entry": np.int64,
        "points": np.int64,
        "limit": np.dtypes.StringDType(),
        "network": np.dtypes.StringDType(),
        "distance": np.dtypes.StringDType(),
    }
    return xr.Dataset(
        {name: ("rate", np.array(values, dtype=kinds.get(name, float))) for name, values in rows.items()}
    )
