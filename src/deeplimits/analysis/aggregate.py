"""Aggregation: a study's blocks reduced to laws, moments, comparisons and rates, in one store that figures
and queries read.

The store has the groups ``moments`` and ``laws`` (dimensions point, record, observable), ``limits`` and
``comparison`` (point, entry: the study's ``compare`` list), ``rates``, ``series`` (the names of series),
``joint``, ``events``, ``paths``, ``groups`` and ``growth``. It is written aside and renamed, and a receipt
with its digest follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deeplimits.analysis.assembly import Assembly, described
from deeplimits.analysis.growth_table import growth_table
from deeplimits.analysis.point import Reduction
from deeplimits.analysis.rate_table import rate_table
from deeplimits.analysis.rows import Rows, stacked
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.study_writer import write_study
from deeplimits.sweep.study import Study

if TYPE_CHECKING:
    import xarray as xr

CHUNK_BYTES = 1 << 24
"""About the bytes of the points that are written at once, before compression."""


def aggregate_study(study: Study, results: Path) -> Path:
    """Reduce ``study`` and write its store; returns the receipt.

    Raises
    ------
    InputError
        If a comparison cannot be made.
    StoreError
        If blocks are missing or cannot be read.
    """
    return write_study(study, results, _parts(study, Catalogue(results)))


def reduced_study(study: Study, catalogue: Catalogue) -> dict[str, xr.Dataset]:
    """The groups of a study's store, in memory."""
    import xarray as xr

    groups: dict[str, list[xr.Dataset]] = {}
    for part in _parts(study, catalogue):
        for group, dataset in part.items():
            groups.setdefault(group, []).append(dataset)
    return {
        group: parts[0] if len(parts) == 1 else xr.concat(parts, "point", data_vars="minimal")
        for group, parts in groups.items()
    }


def _parts(study: Study, catalogue: Catalogue) -> Iterator[Mapping[str, xr.Dataset]]:
    """The datasets of a study, of some of its points after others, and then what is made of all."""
    import xarray as xr

    reduction = Reduction.of(study)
    assembly = Assembly(study, reduction)
    compared: list[xr.Dataset] = []
    first = 0
    for rows in _rows(study, catalogue, reduction):
        part = assembly.datasets(rows, first)
        first += part["moments"].sizes["point"]
        compared.append(part["comparison"].drop_vars(list(part["comparison"].coords)))
        yield part
    comparison = xr.concat(compared, "point")
    yield {
        "rates": described("rates", rate_table(study, assembly.series, comparison)),
        "series": described("series", assembly.series.dataset()),
        "growth": described("growth", growth_table(study)),
    }


def _rows(study: Study, catalogue: Catalogue, reduction: Reduction) -> Iterator[Rows]:
    for start in range(0, len(study.points), 256):
        located = (
            (point, list(catalogue.locations(point, study.samples)))
            for point in study.points[start : start + 256]
        )
        yield stacked(reduction.reduce(located))
