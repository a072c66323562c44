"""The tables of the store: ``points`` and ``blocks`` from the receipts; ``moments``, ``quantiles``,
``comparison``, ``rates``, ``events`` and ``growth`` from the study stores, each with a column ``study``;
``claims`` from the last verdicts written. No column is left out for being the same in all rows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from deeplimits.store.catalogue import Catalogue
from deeplimits.store.errors import StoreError
from deeplimits.store.paths import aggregated_studies
from deeplimits.store.receipts import Receipt
from deeplimits.store.study_groups import open_study_groups
from deeplimits.store.table_columns import BLOCKS, CLAIMS, POINTS, TABLES
from deeplimits.store.verdicts import read_verdicts
from deeplimits.sweep.axes import AXES, axes_of_form

if TYPE_CHECKING:
    import xarray as xr


def _points(catalogue: Catalogue) -> pd.DataFrame:
    texts: dict[str, str] = {}
    blocks: dict[str, int] = {}
    samples: dict[str, int] = {}
    for found in _held(catalogue):
        for name, written, size in zip(found.fingerprints, found.texts, found.sizes, strict=True):
            if name in texts:
                blocks[name] += 1
                samples[name] += size
            else:
                texts[name], blocks[name], samples[name] = written, 1, size
    axes = _axes(list(texts.values()))
    counts = {"blocks": list(blocks.values()), "samples": list(samples.values())}
    return pd.DataFrame({"physics": list(texts), **axes, **counts}, columns=list(POINTS))


def _axes(texts: Sequence[str]) -> dict[str, list[Any]]:
    """The columns of the axes from forms as JSON, read once where but depth, seed or width differ."""
    families: dict[tuple[str, ...], dict[str, Any]] = {}
    rows = []
    found: dict[str, list[int]] = {"depth": [], "seed": [], "width": []}
    for written in texts:
        key, sizes = _sized(written)
        if key not in families:
            families[key] = axes_of_form(json.loads(written))
        rows.append(families[key])
        for axis, values in found.items():
            values.append(int(sizes[axis]) if sizes else families[key][axis])
    return {axis: found[axis] if axis in found else [row[axis] for row in rows] for axis in AXES}


def _sized(form: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """What a form as JSON is without depth, seed and width, and these; all of it where they cannot be told
    apart.
    """
    # keys are sorted, and within a text the quotes would have a backslash before them
    start, _, rest = form.partition('"depth":')
    depth, _, rest = rest.partition(",")
    middle, _, rest = rest.partition('"seed":')
    seed, _, rest = rest.partition(",")
    end, _, width = rest.rpartition('"width":')
    width = width.removesuffix("}")
    if depth.isdecimal() and seed.removeprefix("-").isdecimal() and width.isdecimal():
        return (start, middle, end), {"depth": depth, "seed": seed, "width": width}
    return (form,), {}


def _blocks(catalogue: Catalogue) -> pd.DataFrame:
    frames = [
        pd.DataFrame(
            {
                "block": found.receipt.names,
                "physics": found.fingerprints,
                "index": found.places,
                "first": found.first,
                "count": found.sizes,
                "records": found.records,
                "batch": found.receipt.batch,
                "engine": found.receipt.provenance.get("engine"),
                "finished": found.receipt.provenance.get("finished"),
            }
        )
        for found in _held(catalogue)
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(BLOCKS))


class _Blocks(NamedTuple):
    """What a receipt says of its blocks, a column each; ``texts`` are canonical forms as JSON."""

    receipt: Receipt
    sizes: list[int]
    first: list[int]
    places: list[int]
    records: list[int]
    texts: list[str]
    fingerprints: list[str]


_WRITTEN = re.compile(
    r'(\d+),"first":(\d+),(?:"gradients":true,)?"id":"(\w+)","index":(\d+),"layers":\[([\d,]*)\]'
    r'(?:,"output":true)?'
)
"""A block as receipts are written, without a blank and with sorted keys, from its first value to the last
before its canonical form.
"""


def _held(catalogue: Catalogue) -> list[_Blocks]:
    """The blocks of all receipts, by their text: to make dictionaries of 10⁵ takes ten times as long."""
    return [_blocks_of(receipt) for receipt in catalogue.receipts]


def _blocks_of(receipt: Receipt) -> _Blocks:
    rows = _as_written(receipt.text.decode())
    if [row[2] for row in rows] != [*receipt.names]:
        # written by other hands
        rows = [
            (block["count"], block["first"], "", block["index"], ",".join(map(str, block["layers"])), text)
            for block in receipt.blocks
            for text in [json.dumps(block["physics"], sort_keys=True, separators=(",", ":"))]
        ]
    texts = [row[5] for row in rows]
    sizes, first, places = ([int(row[place]) for row in rows] for place in (0, 1, 3))
    # the name of a network is that of the text of its canonical form
    fingerprints = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    layers = [row[4].count(",") + 1 for row in rows]
    return _Blocks(receipt, sizes, first, places, layers, texts, fingerprints)


def _as_written(receipt: str) -> list[tuple[Any, ...]]:
    """Samples, first sample, name, place, layers and form of each block, all of them texts; those that
    are not written as expected are left out.
    """
    start = '{"blocks":[{"count":'
    between = '},{"count":'
    rows = []
    for block in receipt[len(start) : receipt.find('}],"container":')].split(between):
        head, _, form = block.partition(',"physics":')
        found = _WRITTEN.fullmatch(head)
        if found is not None:
            rows.append((*found.groups(), form))
    return rows


_GROUPS = {"quantiles": "laws"}
"""Groups of a study store that tables with another name are made from."""
_OF_RECEIPTS: dict[str, Callable[[Catalogue], pd.DataFrame]] = {"points": _points, "blocks": _blocks}


class Parts(NamedTuple):
    """A table over the places along some dimensions, in parts, so that what labels a point is held once and
    not once a row.

    Attributes
    ----------
    columns
        Where each column of the table is: the name of a dimension whose labels have it, or ``""`` for
        ``rows``.
    rows
        A row of the table each: the arrays, and by the name of a dimension the row of its labels.
    labels
        By dimension: what lies along it, in the first also ``study``.
    """

    columns: dict[str, str]
    rows: pd.DataFrame
    labels: dict[str, pd.DataFrame]

    def joined(self) -> pd.DataFrame:
        """The whole table."""
        taken = {name: self.labels[name].iloc[self.rows[name]] for name in self.labels}
        frames = {column: taken[name] if name else self.rows for column, name in self.columns.items()}
        return pd.DataFrame({column: frame[column].array for column, frame in frames.items()})


_ALWAYS = frozenset({"study", "layer", "value", "exploded", "collapsed"})
"""Columns that are there whatever is wanted: by most of them rows are left out."""


def study_table(results: Path, study: str, table: str, wanted: frozenset[str] | None = None) -> Parts | None:
    """The rows of one study of a table that is made from study stores: one for each place along the
    dimensions of its arrays, the last one fastest. None where the study has nothing of the kind.

    Columns are the study, the dimensions, what labels them, and the arrays; where some are ``wanted``, no
    other need be there.

    Raises
    ------
    StoreError
        If they cannot be read.
    """
    held = open_study_groups(results, study)[f"/{_GROUPS.get(table, table)}"]
    if table == "quantiles":
        held = held[["quantile"]]
    if not held.data_vars:
        return None
    parts = _parts(study, held, None if wanted is None else wanted | _ALWAYS)
    rows = parts.rows
    match table:
        case "moments" | "quantiles":
            there = rows["layer"] >= 0
        case "comparison":
            there = rows["value"].notna()
        case "events":
            there = (rows["exploded"] >= 0) | (rows["collapsed"] >= 0)
        case _:
            return parts
    return parts if there.all() else parts._replace(rows=rows[there])


def _parts(study: str, held: xr.Dataset, wanted: frozenset[str] | None) -> Parts:
    arrays = sorted(map(str, held.data_vars))
    sizes = {
        str(name): size
        for each in sorted(arrays, key=lambda name: -held[name].ndim)
        for name, size in held[each].sizes.items()
    }
    # half as long as NumPy makes them: a table has millions of rows
    places = np.indices(tuple(sizes.values()), np.int32, sparse=True)
    along = {str(name): [*map(str, held[name].dims)] for name in held.coords if name not in sizes}
    labelled = sorted(name for name, dimensions in along.items() if set(dimensions) <= sizes.keys())
    if wanted is not None:
        labelled, arrays = (
            [name for name in names if name.lower() in wanted] for names in (labelled, arrays)
        )
    labels: dict[str, pd.DataFrame] = {}
    columns = {"study": next(iter(sizes))}
    for name, size in sizes.items():
        told = {each: held[each].to_numpy() for each in labelled if along[each] == [name]}
        if wanted is None or name.lower() in wanted:
            told[name] = held[name].to_numpy() if name in held.coords else np.arange(size)
            columns[name] = name
        label = pd.DataFrame({each: _column(values) for each, values in told.items()}, index=range(size))
        labels[name] = label if labels else label.assign(study=study)
    rows = dict(zip(sizes, places, strict=True))
    for name in [*labelled, *arrays]:
        alone = name in along and len(along[name]) == 1
        columns[name] = along[name][0] if alone else ""
        if not alone:
            # of length 1 where the array has no such dimension
            found = held[name].transpose(*(each for each in sizes if each in held[name].dims))
            rows[name] = found.to_numpy().reshape([found.sizes.get(each, 1) for each in sizes])
    shape = tuple(sizes.values())
    filled = {name: _column(np.broadcast_to(each, shape).ravel()) for name, each in rows.items()}
    # pandas would put columns of one type into one array
    return Parts(columns, pd.DataFrame(filled, copy=False), labels)


def _column(values: NDArray[Any]) -> NDArray[Any]:
    """Values as a column holds them: texts as objects, and no +∞, which SQL is told as nothing."""
    if values.dtype.kind == "f":
        infinite = values == np.inf
        return np.where(infinite, np.nan, values) if infinite.any() else values
    return values.astype(object) if values.dtype.kind in "UT" else values


def read_table(results: Path, table: str, wanted: frozenset[str] | None = None) -> tuple[Parts, list[str]]:
    """A table of all studies, and a sentence for each study that could not be read and is not in it, or for
    other rows that are left out. Columns that are not ``wanted`` may be left out, where not all are. A table
    without a row has all its columns, with their types.
    """
    parts, left_out = _read_table(results, table, wanted)
    return (parts if len(parts.rows) else _without_rows(table)), left_out


def _read_table(results: Path, table: str, wanted: frozenset[str] | None) -> tuple[Parts, list[str]]:
    if table in _OF_RECEIPTS:
        catalogue = Catalogue(results)
        frame, damaged = _OF_RECEIPTS[table](catalogue), catalogue.passed_over()
        return _whole(frame), [f"some blocks are left out: {damaged}"] if damaged else []
    if table == "claims":
        try:
            return _whole(pd.DataFrame(read_verdicts(results), columns=list(CLAIMS))), []
        except StoreError as error:
            return _whole(pd.DataFrame(columns=list(CLAIMS))), [f"the claims are left out: {error}"]
    found, left_out = [], []
    for study in aggregated_studies(results):
        try:
            found.append(study_table(results, study, table, wanted))
        except (StoreError, KeyError) as error:
            left_out.append(f"the rows of study {study} are left out: {error}")
    held = [parts for parts in found if parts is not None]
    return _together(held) if held else _without_rows(table), left_out


def _whole(frame: pd.DataFrame) -> Parts:
    return Parts(dict.fromkeys(frame.columns, ""), frame, {})


def _without_rows(table: str) -> Parts:
    columns = TABLES[table].columns
    return _whole(
        pd.DataFrame({name: pd.Series([], dtype=variable.dtype) for name, variable in columns.items()})
    )


def _together(found: Sequence[Parts]) -> Parts:
    if len(found) == 1:
        return found[0]
    rows, sizes = [], dict.fromkeys(found[0].labels, 0)
    for parts in found:
        rows.append(parts.rows.assign(**{name: parts.rows[name] + size for name, size in sizes.items()}))
        sizes = {name: size + len(parts.labels[name]) for name, size in sizes.items()}
    return Parts(
        {name: place for parts in found for name, place in parts.columns.items()},
        pd.concat(rows, ignore_index=True),
        {name: pd.concat([parts.labels[name] for parts in found], ignore_index=True) for name in sizes},
    )
