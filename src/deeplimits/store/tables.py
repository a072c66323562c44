"""The tables of the store: ``points`` and ``blocks`` from the receipts; ``moments``, ``quantiles``,
``comparison``, ``rates``, ``events`` and ``growth`` from the study stores, each with a column ``study``;
``claims`` from the last verdicts written. No column is left out for being the same in all rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deeplimits.networks.network import Network
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import aggregated_studies, claims_file
from deeplimits.store.studies import StudyStore, open_study_store
from deeplimits.sweep.axes import AXES, axes_of
from deeplimits.sweep.points import network_from_physics

POINTS = {
    "physics": "name of the network, of all that its law depends on, and of its random stream",
    **AXES,
    "blocks": "blocks that the store holds of it",
    "samples": "networks in these blocks",
}
"""Columns of ``points``, and what they mean."""
BLOCKS = {
    "block": "name of the block",
    "physics": "name of its network",
    "index": "its place among the blocks of the network",
    "first": "its first sample",
    "count": "its samples",
    "records": "layers that are recorded",
    "batch": "the batch that it was computed in",
    "engine": "the engine that computed it",
    "finished": "when",
}
"""Columns of ``blocks``, and what they mean."""
CLAIMS = (
    "id",
    "verdict",
    "effect",
    "low",
    "high",
    "margin",
    "samples",
    "normals",
    "study",
    "statement",
    "source",
    "paper",
    "reason",
)
"""Columns of ``claims``."""


def _points(results: Path) -> pd.DataFrame:
    rows: dict[str, dict[str, Any]] = {}
    for receipt in Catalogue(results).receipts:
        for block in receipt.blocks:
            network = network_from_physics(block["physics"])
            if network.physics_hash not in rows:
                rows[network.physics_hash] = _described(network)
            row = rows[network.physics_hash]
            row["blocks"] += 1
            row["samples"] += block["count"]
    return pd.DataFrame(list(rows.values()), columns=list(POINTS))


def _described(network: Network) -> dict[str, Any]:
    return {"physics": network.physics_hash, **axes_of(network), "blocks": 0, "samples": 0}


def _blocks(results: Path) -> pd.DataFrame:
    rows = [
        {
            "block": block["id"],
            "physics": network_from_physics(block["physics"]).physics_hash,
            "index": block["index"],
            "first": block["first"],
            "count": block["count"],
            "records": len(block["layers"]),
            "batch": receipt.batch,
            "engine": receipt.provenance.get("engine"),
            "finished": receipt.provenance.get("finished"),
        }
        for receipt in Catalogue(results).receipts
        for block in receipt.blocks
    ]
    return pd.DataFrame(rows, columns=list(BLOCKS))


def _claims(results: Path) -> pd.DataFrame:
    """What ``deeplimits claims --out`` wrote; no rows before that."""
    try:
        rows = json.loads(claims_file(results).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        rows = []
    for row in rows:
        row["low"], row["high"] = row["interval"] or (None, None)
    return pd.DataFrame(rows, columns=list(CLAIMS))


def study_table(study: str, store: StudyStore, table: str) -> pd.DataFrame:
    """The rows of one study of a table that is made from study stores.

    Raises
    ------
    StoreError
        If they cannot be read.
    """
    group, names = {"quantiles": ("laws", ("quantile",))}.get(table, (table, ()))
    frame = _frame(study, store, group, names or store.variables(group))
    match table:
        case "moments" | "quantiles":
            return frame[frame["layer"] >= 0]
        case "comparison":
            return frame[frame["at_layer"] >= 0]
        case "events":
            return frame[(frame["exploded"] >= 0) | (frame["collapsed"] >= 0)]
    return frame


def _frame(study: str, store: StudyStore, group: str, names: Sequence[str]) -> pd.DataFrame:
    """One row for each place along the dimensions of the arrays, the last one fastest; columns are the study,
    the dimensions, what labels them, and the arrays.
    """
    labels = store.coordinates(group)
    dimensions = {name: store.dimensions(group, name) for name in [*labels, *names]}
    arrays = {name: store.array(group, name) for name in dimensions}
    sizes = {
        dimension: size
        for name in sorted(names, key=lambda name: -arrays[name].ndim)
        for dimension, size in zip(dimensions[name], arrays[name].shape, strict=True)
    }
    columns: dict[str, Any] = {"study": study}
    for name in [*sizes, *(name for name in arrays if name not in sizes)]:
        along = dimensions.get(name, (name,))
        if set(along) <= sizes.keys():
            array = arrays[name] if name in arrays else np.arange(sizes[name])
            shape = [sizes[each] if each in along else 1 for each in sizes]
            columns[name] = np.broadcast_to(array.reshape(shape), tuple(sizes.values())).ravel()
    return pd.DataFrame(columns)


_OF_RECEIPTS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "points": _points,
    "blocks": _blocks,
    "claims": _claims,
}
OF_STUDIES = ("moments", "quantiles", "comparison", "rates", "events", "growth")
"""Tables that are made from the study stores."""
TABLES = ("points", "blocks", *OF_STUDIES, "claims")
"""All tables."""


def read_table(results: Path, table: str) -> tuple[pd.DataFrame, list[str]]:
    """A table of all studies, and a sentence for each study that could not be read and is not in it."""
    if table in _OF_RECEIPTS:
        return _OF_RECEIPTS[table](results), []
    frames, left_out = [], []
    for study in aggregated_studies(results):
        try:
            frames.append(study_table(study, open_study_store(results, study), table))
        except (StoreError, KeyError) as error:
            left_out.append(f"the rows of study {study} are left out: {error}")
    if not frames:
        return pd.DataFrame(columns=["study"]), left_out
    return pd.concat(frames, ignore_index=True).replace({np.inf: None}), left_out
