"""Questions to the store, in SQL: DuckDB over the catalogue and the study stores, read-only and without
access to files.

Tables: ``points`` and ``blocks`` from the receipts; ``moments``, ``quantiles``, ``comparison``, ``rates``
and ``events`` from the study stores, each with a column ``study``; ``claims`` from the last verdicts written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from deeplimits.errors import InputError, nearest_name
from deeplimits.networks.network import Network
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.paths import aggregated_studies, claims_file
from deeplimits.store.studies import StudyStore, open_study_store
from deeplimits.sweep.points import network_from_physics

TABLES = ("points", "blocks", "moments", "quantiles", "comparison", "rates", "events", "growth", "claims")


def run_query(results: Path, sql: str) -> pd.DataFrame:
    """The rows that one SELECT returns.

    Raises
    ------
    InputError
        If it is not one SELECT, or names what is not there.
    """
    connection = duckdb.connect(":memory:", config={"enable_external_access": "false"})
    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise InputError("query", "", sql, "one SELECT")
        listed = re.match(r"\s*show\b", sql, re.IGNORECASE)
        for name in TABLES:
            if listed or re.search(rf"\b{name}\b", sql, re.IGNORECASE):
                connection.register(name, _TABLES[name](results))
        connection.execute("SET lock_configuration = true")
        return connection.execute(statements[0]).df()
    except duckdb.Error as error:
        raise InputError("query", "", sql, *_explained(str(error))) from None
    finally:
        connection.close()


def _explained(message: str) -> tuple[str, str | None]:
    missing = re.search(r"Table with name (\S+) does not exist", message)
    if missing:
        return "tables " + ", ".join(TABLES), nearest_name(missing.group(1), TABLES)
    return "a query that DuckDB accepts; it says: " + " ".join(message.split())[:300], None


def _points(results: Path) -> pd.DataFrame:
    rows: dict[str, dict[str, Any]] = {}
    for receipt in Catalogue(results).receipts:
        for block in receipt.blocks:
            network = network_from_physics(block["physics"])
            row = rows.setdefault(network.physics_hash, _described(network) | {"blocks": 0, "samples": 0})
            row["blocks"] += 1
            row["samples"] += block["count"]
    return pd.DataFrame(list(rows.values()), columns=[*_described_columns(), "blocks", "samples"])


def _described(network: Network) -> dict[str, Any]:
    physics = network.physics()
    return {
        "physics": network.physics_hash,
        "architecture": network.architecture,
        "activation": physics["activation"]["name"],
        "c_plus": physics["activation"].get("c_plus"),
        "c_minus": physics["activation"].get("c_minus"),
        "shaping": (physics["shaping"] or {}).get("by"),
        "exponent": network.exponent,
        "width": network.widest,
        "depth": network.depth,
        "inputs": network.inputs,
        "correlation_0": network.correlation() if network.inputs > 1 else None,
        "seed": network.seed,
    }


def _described_columns() -> list[str]:
    return [
        "physics",
        "architecture",
        "activation",
        "c_plus",
        "c_minus",
        "shaping",
        "exponent",
        "width",
        "depth",
        "inputs",
        "correlation_0",
        "seed",
    ]


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
    return pd.DataFrame(
        rows,
        columns=["block", "physics", "index", "first", "count", "records", "batch", "engine", "finished"],
    )


def _table(results: Path, group: str, *names: str) -> list[pd.DataFrame]:
    """A group of every study store as a table, of all its arrays or of these and what labels them."""
    stores = [(study, open_study_store(results, study)) for study in aggregated_studies(results)]
    return [_frame(study, store, group, names or store.variables(group)) for study, store in stores]


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


def _moments(results: Path) -> pd.DataFrame:
    return _joined([frame[frame["layer"] >= 0] for frame in _table(results, "moments")])


def _events(results: Path) -> pd.DataFrame:
    return _joined(
        [frame[(frame["exploded"] >= 0) | (frame["collapsed"] >= 0)] for frame in _table(results, "events")]
    )


def _quantiles(results: Path) -> pd.DataFrame:
    return _joined([frame[frame["layer"] >= 0] for frame in _table(results, "laws", "quantile")])


def _comparison(results: Path) -> pd.DataFrame:
    return _joined([frame[frame["at_layer"] >= 0] for frame in _table(results, "comparison")])


def _rates(results: Path) -> pd.DataFrame:
    return _joined(_table(results, "rates"))


CLAIM_COLUMNS = (
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


def _claims(results: Path) -> pd.DataFrame:
    """What ``deeplimits claims --out`` wrote; no rows before that."""
    try:
        rows = json.loads(claims_file(results).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        rows = []
    for row in rows:
        row["low"], row["high"] = row["interval"] or (None, None)
    return pd.DataFrame(rows, columns=list(CLAIM_COLUMNS))


def _growth(results: Path) -> pd.DataFrame:
    return _joined(_table(results, "growth"))


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    if not frames:
        return pd.DataFrame(columns=["study"])
    return pd.concat(frames, ignore_index=True).replace({np.inf: None})


_TABLES = {
    "points": _points,
    "blocks": _blocks,
    "moments": _moments,
    "quantiles": _quantiles,
    "events": _events,
    "comparison": _comparison,
    "rates": _rates,
    "claims": _claims,
    "growth": _growth,
}
