"""Aggregation: a study's blocks reduced to laws, moments, comparisons and rates, in one store that figures
and queries read.

The store has the groups ``moments`` and ``laws`` (dimensions point, record, observable), ``limits`` and
``comparison`` (point, entry: the study's ``compare`` list), ``rates``, ``series`` (the names of series),
``joint``, ``events``, ``paths``, ``groups``, ``growth`` and ``reduction`` (what the rows of a point depend
on). Rows of an earlier store are taken where nothing that they depend on has changed; the others are reduced,
side by side where that is worth it. The bytes are the same whatever was kept, and wherever it was reduced.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deeplimits.analysis.assembly import Assembly
from deeplimits.analysis.compared import unsolved
from deeplimits.analysis.growth_table import growth_table
from deeplimits.analysis.kept import GROUP, KEY, KeptRows, keys_of
from deeplimits.analysis.point import Reduction
from deeplimits.analysis.rate_table import rate_table
from deeplimits.analysis.rows import Rows, Stream, bytes_of_point, merged
from deeplimits.analysis.spread import Spread
from deeplimits.errors import NotCompared
from deeplimits.store.arrays import described
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.study_writer import write_study
from deeplimits.store.watched import Watch, unwatched
from deeplimits.sweep.config_models import DaskModel
from deeplimits.sweep.study import Study

if TYPE_CHECKING:
    import xarray as xr

CHUNK_BYTES = 1 << 26
"""About the bytes of the points that are written at once, before compression."""


@dataclass(frozen=True)
class Aggregation:
    """What was done.

    Parameters
    ----------
    receipt
        The receipt of the store.
    points, reduced
        Points of the study, and how many of them were reduced anew.
    """

    receipt: Path
    points: int
    reduced: int

    def __str__(self) -> str:
        kept = self.points - self.reduced
        points = "1 point" if self.points == 1 else f"{self.points:,} points"
        return f"{self.receipt}: {self.reduced:,} of {points} reduced, {kept:,} kept"


def aggregate_study(
    study: Study, results: Path, cores: int = 1, dask: DaskModel | None = None, watch: Watch = unwatched
) -> Aggregation:
    """Reduce ``study`` and write its store.

    Parameters
    ----------
    cores
        Processes at most, on this machine.
    dask
        Where points are reduced, if not here. A scheduler that is set already, by a client of
        dask.distributed or by ``dask.config``, is used too.
    watch
        Tells how many of the points that are reduced are done; see ``store.watched``.

    Warns
    -----
    NotCompared
        If the law of a comparison could not be solved at some points.

    Raises
    ------
    InputError
        If a comparison cannot be made, or a package is missing.
    StoreError
        If blocks are missing or cannot be read, or a scheduler fails.
    """
    with ExitStack() as stack:
        if dask is not None:
            from deeplimits.analysis.cluster import client_of

            stack.enter_context(client_of(dask, results / "logs" / "dask"))
        kept = stack.enter_context(closing(KeptRows.of(results, study.name)))
        parts = _Parts(study, Catalogue(results), kept, cores, watch)
        receipt = write_study(study, results, parts)
    for sentence in parts.unsolved:
        warnings.warn(sentence, NotCompared, stacklevel=2)
    return Aggregation(receipt, len(study.points), parts.reduced)


def reduced_study(study: Study, catalogue: Catalogue) -> dict[str, xr.Dataset]:
    """The groups of a study's store, in memory."""
    import xarray as xr

    groups: dict[str, list[xr.Dataset]] = {}
    for part in _Parts(study, catalogue, KeptRows({}), 1):
        for group, dataset in part.items():
            groups.setdefault(group, []).append(dataset)
    return {
        group: parts[0] if len(parts) == 1 else xr.concat(parts, "point", data_vars="minimal")
        for group, parts in groups.items()
    }


class _Parts:
    """The datasets of a study, of some of its points after others, and then what is made of all.

    Attributes
    ----------
    reduced
        Points that are reduced anew.
    unsolved
        What is to be said of comparisons that could not be made.
    """

    def __init__(
        self, study: Study, catalogue: Catalogue, kept: KeptRows, cores: int, watch: Watch = unwatched
    ) -> None:
        self._study, self._kept, self._cores, self._watch = study, kept, cores, watch
        self._reduction = Reduction.of(study)
        self._located = [
            list(catalogue.locations(point, study.samples, study.name)) for point in study.points
        ]
        self._keys = keys_of(self._reduction, self._located)
        self._new = [i for i, key in enumerate(self._keys) if key not in kept.places]
        self.reduced = len(self._new)
        self.unsolved: list[str] = []

    def __iter__(self) -> Iterator[Mapping[str, xr.Dataset]]:
        import xarray as xr

        compared: list[xr.Dataset] = []
        first = 0
        for rows in self._chunks():
            # made once processes are at work
            assembly = self._assembly
            part = assembly.datasets(rows, first)
            compared.append(part["comparison"].drop_vars(list(part["comparison"].coords)))
            last = first + part["comparison"].sizes["point"]
            keys = xr.Dataset({KEY: ("point", np.array(self._keys[first:last]))})
            yield {**part, GROUP: described(GROUP, keys)}
            first = last
        comparison = xr.concat(compared, "point")
        self.unsolved = unsolved(self._study, comparison.at_layer.values)
        yield {
            "rates": described("rates", rate_table(self._study, self._assembly.series, comparison)),
            "series": described("series", self._assembly.series.dataset()),
            "growth": described("growth", growth_table(self._study)),
        }

    @cached_property
    def _assembly(self) -> Assembly:
        return Assembly(self._study, self._reduction)

    def _chunks(self) -> Iterator[Rows]:
        """The rows of all points, as many at a time as are written at once."""
        points = [(self._study.points[i], self._located[i]) for i in self._new]
        with Spread(self._reduction, self._cores) as spread, self._watch(self.reduced, "points") as tell:
            fresh = Stream(spread.rows(points), tell)
            one = fresh.first() if self.reduced else self._kept.rows(self._keys[:1])
            size = max(1, CHUNK_BYTES // bytes_of_point(one))
            for start in range(0, len(self._keys), size):
                yield self._chunk(self._keys[start : start + size], fresh)

    def _chunk(self, keys: Sequence[str], fresh: Stream) -> Rows:
        old = np.array([key in self._kept.places for key in keys])
        if not old.any():
            return fresh.take(len(keys))
        kept = self._kept.rows([key for key in keys if key in self._kept.places])
        return kept if old.all() else merged(old, kept, fresh.take(int((~old).sum())))
