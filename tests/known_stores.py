"""Study stores in memory whose truth is known, for the statistics of claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from deeplimits.analysis.groups import GROUPS
from deeplimits.claims.equivalence import verdict_of
from deeplimits.claims.evidence import Evidence
from deeplimits.claims.statistics import STATISTICS

SAMPLES = 4096
RATE = 1e-3


def store(points: list[dict[str, Any]], observable: str = "log_variance", **groups: xr.Dataset) -> Evidence:
    """A study store with these points; ``values`` are samples of ``observable``, ``gram`` of V [sample, a, b]."""
    first = {
        "network": "a",
        "architecture": "mlp",
        "width": 8,
        "depth": 8,
        "seed": 0,
        "inputs": 1,
        "normals": 64,
        "width_series": 0,
    }
    numbers = {"correlation_0": np.nan, "exponent": 0.0, "center": np.nan, "start": np.nan}
    slopes = {"c_plus": 0.0, "c_minus": -1.0}
    filled = [first | numbers | slopes | point for point in points]
    names = [*first, *numbers, *slopes]
    coordinates: dict[str, Any] = {name: ("point", [point[name] for point in filled]) for name in names}
    coordinates["layer"] = (("point", "record"), [[point["depth"]] for point in filled])
    coordinates["observable"] = ("observable", [observable])
    moments = {
        name: (("point", "record", "observable"), [[[find(point)]] for point in filled])
        for name, find in {
            "mean": lambda point: np.mean(point["values"]),
            "std": lambda point: np.std(point["values"]),
            "count": lambda point: len(point["values"]),
        }.items()
        if "values" in filled[0]
    }
    first_groups = {
        "/": xr.Dataset(attrs={"study": "known", "samples": SAMPLES}),
        "/moments": xr.Dataset(moments, coordinates),
        "/groups": xr.Dataset(_groups(filled), coordinates | _entries(filled)),
    }
    return Evidence(first_groups | {f"/{name}": group for name, group in groups.items()})


def _entries(points: list[dict[str, Any]]) -> dict[str, Any]:
    if "gram" not in points[0]:
        return {}
    rows, columns = np.triu_indices(points[0]["gram"].shape[1])
    return {"gram_row": ("gram_entry", rows), "gram_column": ("gram_entry", columns)}


def _groups(points: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, list[Any]] = {"power_sum": [], "counted": [], "scaling": []}
    grams: dict[str, list[Any]] = {"gram_0": [], "gram_count": [], "gram_mean": [], "gram_product": []}
    for point in points:
        if "values" in point:
            values = point["values"]
            scaled = (values - values.mean()) / values.std()
            split = scaled.reshape(-1, GROUPS)
            found["power_sum"].append([[[(part**k).sum() for k in range(1, 5)] for part in split.T]])
            found["counted"].append([[len(split)] * GROUPS])
            found["scaling"].append([[values.mean(), values.std()]])
        if "gram" in point:
            upper = np.triu_indices(point["gram"].shape[1])
            entries = point["gram"][:, upper[0], upper[1]].reshape(-1, GROUPS, len(upper[0]))
            grams["gram_0"].append(point["gram_0"][upper])
            grams["gram_count"].append([len(entries)] * GROUPS)
            grams["gram_mean"].append(entries.mean(axis=0))
            grams["gram_product"].append(np.einsum("sga,sgb->gab", entries, entries) / len(entries))
    dimensions = {
        "power_sum": ("point", "observable", "group", "power"),
        "counted": ("point", "observable", "group"),
        "scaling": ("point", "observable", "part"),
        "gram_0": ("point", "gram_entry"),
        "gram_count": ("point", "group"),
        "gram_mean": ("point", "group", "gram_entry"),
        "gram_product": ("point", "group", "gram_entry", "gram_entry_2"),
    }
    return {name: (dimensions[name], np.array(array)) for name, array in (found | grams).items() if array}


def comparison(points: int, **columns: Any) -> xr.Dataset:
    """One entry, log_variance against ``variance``, with columns [point], of every distance where they are of
    one.
    """
    held = {name: np.array(array, float)[:, None] for name, array in columns.items()}
    return xr.Dataset(
        {
            name: (("point", "entry", "distance"), np.stack([array] * 2, axis=-1))
            if name in ("estimate", "error")
            else (("point", "entry"), array)
            for name, array in held.items()
        }
        | {
            "at_layer": (("point", "entry"), [[8]] * points),
            "at_time": (("point", "entry"), [[1.0]] * points),
        },
        {
            "limit": ("entry", ["variance"]),
            "compared": ("entry", ["log_variance"]),
            "distance": ["ks", "rms"],
        },
    )


def statistic(name: str, **keys: Any) -> Any:
    return STATISTICS[name].model_validate({"name": name} | keys)


def verdict(evidence: Evidence, chosen: Any, margin: float) -> str:
    return verdict_of(chosen.effects(evidence), margin, "equal", RATE).verdict
