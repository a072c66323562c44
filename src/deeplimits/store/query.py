"""Questions to the store, in SQL: DuckDB over the catalogue and the study stores, read-only and without
access to files.

Tables: ``points`` and ``blocks`` from the receipts; ``moments``, ``quantiles``, ``comparison``, ``rates``
and ``events`` from the study stores, each with a column ``study``; ``claims`` from the last verdicts written.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import xarray as xr

from deeplimits.errors import InputError, nearest_name
from deeplimits.networks.network import Network
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.paths import aggregated_studies, claims_file, study_store
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
        for name in TABLES:
            if re.search(rf"\b{name}\b", sql, re.IGNORECASE):
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
        "width": network.width,
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


def _studies(results: Path) -> list[tuple[str, xr.DataTree]]:
    return [
        (name, xr.open_datatree(study_store(results, name), engine="zarr", consolidated=False))
        for name in aggregated_studies(results)
    ]


def _frame(dataset: xr.Dataset, study: str, variable: str | None = None) -> pd.DataFrame:
    frame = (dataset if variable is None else dataset[[variable]]).to_dataframe().reset_index()
    frame.insert(0, "study", study)
    for column in frame.columns:
        if frame[column].dtype == object:
            frame[column] = frame[column].astype(str)
    return frame


def _moments(results: Path) -> pd.DataFrame:
    frames = [_frame(tree["moments"].to_dataset(), study) for study, tree in _studies(results)]
    return _joined([frame[frame["layer"] >= 0] for frame in frames], ["study"])


def _events(results: Path) -> pd.DataFrame:
    frames = [_frame(tree["events"].to_dataset(), study) for study, tree in _studies(results)]
    meant = [frame[(frame["exploded"] >= 0) | (frame["collapsed"] >= 0)] for frame in frames]
    return _joined(meant, ["study"])


def _quantiles(results: Path) -> pd.DataFrame:
    frames = [_frame(tree["laws"].to_dataset(), study, "quantile") for study, tree in _studies(results)]
    return _joined([frame[frame["layer"] >= 0] for frame in frames], ["study"])


def _comparison(results: Path) -> pd.DataFrame:
    frames = []
    for study, tree in _studies(results):
        frame = _frame(tree["comparison"].to_dataset().drop_vars("layer"), study)
        frames.append(frame[frame["at_layer"] >= 0])
    return _joined(frames, ["study"])


def _rates(results: Path) -> pd.DataFrame:
    return _joined(
        [_frame(tree["rates"].to_dataset(), study) for study, tree in _studies(results)], ["study"]
    )


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
    return _joined(
        [_frame(tree["growth"].to_dataset(), study) for study, tree in _studies(results)], ["study"]
    )


def _joined(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    if not frames:
        return pd.DataFrame(columns=columns)
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
