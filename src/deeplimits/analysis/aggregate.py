"""Aggregation: a study's blocks reduced to laws, moments, comparisons and rates, in one store that figures
and queries read.

The store has the groups ``moments`` and ``laws`` (dimensions point, record, observable), ``limits`` and
``comparison`` (point, entry: the study's ``compare`` list), ``rates``, ``series`` (the names of series),
``joint``, ``events``, ``paths``, ``groups`` and ``growth``. It is written aside and renamed, and a receipt
with its digest follows.
"""

from __future__ import annotations

from pathlib import Path

from deeplimits.analysis.compared import Comparisons
from deeplimits.analysis.coordinates import coordinates_of
from deeplimits.analysis.events import events, paths
from deeplimits.analysis.groups import groups
from deeplimits.analysis.growth_table import growth_table
from deeplimits.analysis.joint import joint
from deeplimits.analysis.marginals import Marginals
from deeplimits.analysis.rate_table import rate_table
from deeplimits.analysis.reduce import reduce_point
from deeplimits.analysis.series import Series
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.studies import write_study
from deeplimits.store.zarr_zip import Group
from deeplimits.sweep.study import Study


def aggregate_study(study: Study, results: Path) -> Path:
    """Reduce ``study`` and write its store; returns the receipt.

    Raises
    ------
    InputError
        If a comparison cannot be made.
    StoreError
        If blocks are missing or cannot be read.
    """
    return write_study(study, results, reduced_study(study, Catalogue(results)))


def reduced_study(study: Study, catalogue: Catalogue) -> dict[str, Group]:
    """The groups of a study's store."""
    marginals, comparisons = Marginals(study), Comparisons(study)
    for i, point in enumerate(study.points):
        tasks, entries = marginals.tasks(point), comparisons.predict(i)
        located = list(catalogue.locations(point, study.samples))
        reduced, held = reduce_point(located, tasks, list(entries.values()))
        marginals.keep(i, tasks, reduced)
        for (j, (name, record, _, law)), counted in zip(entries.items(), held, strict=True):
            comparisons.measure(i, j, law, counted, marginals.ends(i, record, name))
    series = Series.of_study(study)
    coordinates, names = coordinates_of(study, series), marginals.names
    return {
        **marginals.groups(coordinates),
        **comparisons.groups(coordinates),
        "rates": rate_table(study, series, comparisons.found, comparisons.at_time),
        "series": series.group(),
        "joint": joint(study, catalogue, coordinates, names, marginals.edges),
        "events": events(study, catalogue, coordinates),
        "paths": paths(study, catalogue, coordinates),
        "groups": groups(study, catalogue, coordinates, marginals.scaled(), names),
        "growth": growth_table(study),
    }
