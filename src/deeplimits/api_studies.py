"""Python for what a workflow has computed: ``open_study``, ``open_samples``, ``query`` and ``figure``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplimits.errors import InputError, nearest_name
from deeplimits.extras import tells_extra
from deeplimits.sweep.config import DEFAULT_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from deeplimits.store.place import Place


@tells_extra
def open_study(
    name: str,
    config: str | Path = DEFAULT_PATH,
    results: str | Path | None = None,
    root: str | Path | None = None,
) -> xr.DataTree:
    """The reduced data of a study, opened lazily; the attributes of an array say what it holds.

    Those of the tree say what the store holds: ``title``, ``samples``, ``points``, and under ``made_from``
    all of the study that its data depend on. ``stale`` says in what that differs from the study file and the
    configuration of today: an empty text where it does not, ``unknown`` where there is no configuration.

    Parameters
    ----------
    name
        The study, by the name of its file.
    config, results
        The configuration, and a folder of results in place of the configuration's, which needs none.
    root
        The folder that relative paths start from: $DEEPLIMITS_ROOT, or the working directory, by default.

    Returns
    -------
    A tree of datasets, whose arrays are read when their values are asked for. Arrays carry their meaning and
    units as attributes.

    Raises
    ------
    InputError
        If the folder of results is not there.
    StoreError
        If the study has not been aggregated.

    Warns
    -----
    StaleStore
        If the store is stale.

    Examples
    --------
    >>> import deeplimits
    >>> study = deeplimits.open_study("ks-against-width")
    >>> study.attrs["title"]
    'Kolmogorov distance of networks to their limits, against width'
    >>> study["moments"]["mean"].dims
    ('point', 'record', 'observable')
    """
    from deeplimits.store.staleness import compared, warn
    from deeplimits.store.study_groups import open_study_tree, study_attributes

    place = _place(config, results, root)
    stale = "unknown"
    if place.config:
        stale = compared(study_attributes(place.results, name), name, place.config)
    tree = open_study_tree(place.results, name)
    tree.attrs["stale"] = stale
    warn(stale if place.config else "")
    return tree


def _place(config: str | Path, results: str | Path | None, root: str | Path | None) -> Place:
    from deeplimits.store.place import find_place

    start = Path(os.environ.get("DEEPLIMITS_ROOT", "") if root is None else root)
    found = None if results is None else Path(results)
    return find_place(Path(config), found, option="results", root=start)


@tells_extra
def open_samples(
    study: str,
    config: str | Path = DEFAULT_PATH,
    results: str | Path | None = None,
    root: str | Path | None = None,
    **selection: Any,
) -> xr.Dataset:
    """The samples of a study as one dataset over its points, lazily: a dask chunk is a point's block.

    Points that make a full grid have a dimension for each axis of the sweep, ``[width, correlation, …,
    sample, record, input]``; where an axis follows from others, as a depth that is a multiple of the width,
    it labels their dimensions. Other points lie along ``point``, with the axes as levels of its index. In
    both, ``dataset.sel(width=64, c_minus=-1.0, correlation=0.3)`` chooses, by any axis: of one that does not
    vary by its value, and another is an error.

    Beside the arrays of ``simulate`` there are observables that are made of them: ``rho``, the correlation
    of each pair of inputs, ``rescaled_correlation``, ``covariance``, ``variance``, and where their sources
    are stored ``log_growth``, ``standard_output`` and ``ou_coordinate``. Where points differ in what they
    record, or in the number of inputs, what one lacks is NaN, and −1 in ``layer``. No container is opened
    before values are asked for.

    Parameters
    ----------
    study
        The study, by the name of its file.
    config, results, root
        As ``open_study`` takes them; results that are named need no configuration where the study has been
        aggregated.
    selection
        Keep only points with these values, such as ``width=64, activation="relu"``: any axis of the
        sweep, whether it varies or not.

    Returns
    -------
    Arrays ``[axis, …, sample, record, input]``, or ``cross`` for pairs of inputs in place of ``input``; their
    attributes say what they hold, and in which units.

    Raises
    ------
    InputError
        If there is no such study or key, or no point with these values.
    StoreError
        If samples are missing.

    Examples
    --------
    >>> import deeplimits
    >>> drawn = deeplimits.open_samples("ks-against-width", width=12)
    >>> drawn.rho.sel(cross=0).isel(record=-1).dims
    ('sample',)
    """
    from deeplimits.analysis.samples import aggregated_points, named_axes, samples_of
    from deeplimits.store.arrays import annotate_samples

    place = _place(config, results, root)
    if place.config is None:
        points, samples = aggregated_points(place.results, study)
    else:
        chosen = place.config.study(study)
        points, samples = list(chosen.points), chosen.samples
    found = [(point, named_axes(point)) for point in points]
    names = list(found[0][1])
    for key, value in selection.items():
        axis = "correlation" if key == "correlation_0" else key
        if axis not in names:
            expected = "one of " + ", ".join(names)
            raise InputError("open_samples", key, value, expected, nearest_name(key, names))
        known = list(dict.fromkeys(axes[axis] for _, axes in found))
        found = [(point, axes) for point, axes in found if axes[axis] == value]
        if not found:
            expected = "one that points have: " + ", ".join(map(str, known))
            raise InputError("open_samples", key, value, expected)
    columns = {axis: [axes[axis] for _, axes in found] for axis in names}
    # read later, from wherever the program is then
    drawn = samples_of(place.results.absolute(), [point for point, _ in found], columns, samples, study)
    return annotate_samples(drawn.assign_attrs(study=study))


@tells_extra
def query(
    sql: str,
    results: str | Path | None = None,
    config: str | Path = DEFAULT_PATH,
    root: str | Path | None = None,
    timeout: float = 60.0,
) -> pd.DataFrame:
    """Rows of one SELECT over the store, within ``timeout`` seconds and a gigabyte of memory.

    Which tables and columns there are ``store.table_columns.TABLES`` says, and ``deeplimits query --tables``.

    Parameters
    ----------
    sql
        One SELECT, of DuckDB's dialect.
    results, config, root
        As ``open_study`` takes them.
    timeout
        Seconds until the query is given up.

    Returns
    -------
    One row for each row of the answer; no index.

    Raises
    ------
    InputError
        If it is not one SELECT, names what is not there, or takes too long or too much memory.

    Warns
    -----
    StaleStore
        Of each study whose store is stale.

    Examples
    --------
    >>> import deeplimits
    >>> rows = deeplimits.query("SELECT study, compared, estimate FROM comparison")
    >>> list(rows.columns)
    ['study', 'compared', 'estimate']
    """
    from deeplimits.store.query import run_query

    place = _place(config, results, root)
    return run_query(place.results, sql, place.config, timeout=timeout)


@tells_extra
def figure(
    name: str,
    config: str | Path = DEFAULT_PATH,
    results: str | Path | None = None,
    root: str | Path | None = None,
    *,
    title: str | None = None,
    colors: Mapping[str, object] | None = None,
) -> Figure:
    """A figure of a study, drawn from its store, to be changed and saved as one likes; no file is written.

    It is a figure of Matplotlib that no window shows and pyplot does not know; its panels are
    ``figure.axes``. In a notebook, ``%matplotlib inline`` lets it be seen.

    Parameters
    ----------
    name
        ``STUDY/FIGURE``, where the figure may be any that the study can draw, whether its file asks for it or
        not; or ``FIGURE`` where only one study of the configuration asks for it.
    config, results, root
        As ``open_study`` takes them.
    title
        Above the figure as a whole.
    colors
        Colours of Matplotlib in place of those of the house, by role: ``network``, ``limit`` and, where a
        figure has more, ``second``, ``third`` and ``fourth``. Shades of a series that grows, such as widths,
        stay.

    Returns
    -------
    The figure, whose panels are ``axes``.

    Raises
    ------
    InputError
        If there is no such figure, study, role or colour, or if the store lacks what the figure needs; the
        message has the nearest name, or the figures that can be drawn.
    StoreError
        If the study has not been aggregated.

    Warns
    -----
    StaleStore
        If the store is stale.

    Examples
    --------
    >>> import deeplimits
    >>> drawn = deeplimits.figure("ks-against-width/ks_against_width", title="Networks and their limits")
    >>> type(drawn).__name__
    'Figure'
    """
    from deeplimits.drawing.build import find_figure
    from deeplimits.drawing.returned import returned_figure
    from deeplimits.errors import check_name
    from deeplimits.figures import figures
    from deeplimits.store.paths import aggregated_studies
    from deeplimits.store.staleness import compared, warn
    from deeplimits.store.study_groups import study_attributes

    place = _place(config, results, root)
    study, _, drawn = name.rpartition("/")
    check_name(drawn, figures(), "figure")
    held = aggregated_studies(place.results)
    if place.config is None:
        check_name(study, held, "figure", "study")
    else:
        study = study or find_figure(place.config, name)[0].name
        if study not in held:
            place.config.study_path(study)
        warn(compared(study_attributes(place.results, study), study, place.config))
    return returned_figure(place.results, study, drawn, title, colors)
