"""Which columns a query may be about, by DuckDB's own reading of it: a table of 10⁵ points has texts of
which a query wants none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

_SOURCES = {"BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST", "TABLE_FUNCTION"}
"""What rows may come from where columns go by their names alone: no pivot, no description of a table."""


def named_columns(connection: duckdb.DuckDBPyConnection, sql: str) -> frozenset[str] | None:
    """The names, in lower case, among which are those of all columns that one SELECT takes; None where it may
    take columns that it does not name: by a star, their places, a whole row, or a join over what is common.
    """
    (written,) = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0]
    nodes = list(_nodes(json.loads(written)))
    if not any("statements" in node for node in nodes):
        return None
    columns, alone, rows = set[str](), set[str](), set[str]()
    for node in nodes:
        names = [name.lower() for name in node.get("column_names", [])]
        columns |= {*names, *map(str.lower, node.get("using_columns", []))}
        # of a longer name the first part may well be a table
        alone |= {*names} if len(names) == 1 else set()
        rows |= {str(node.get(key, "")).lower() for key in ("table_name", "alias") if "sample" in node}
        source = "sample" in node and "query_location" in node
        if (
            node.get("class") in {"STAR", "POSITIONAL_REFERENCE"}
            or (source and node["type"] not in _SOURCES)
            or node.get("column_name_alias")
            or node.get("ref_type") == "NATURAL"
        ):
            return None
    return None if alone & rows else frozenset(columns)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All mappings in what is read from JSON."""
    if isinstance(tree, dict):
        yield tree
    for each in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(each)
