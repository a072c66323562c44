"""Verbs about studies: what they will cost, what is done, and the steps from blocks to figures and tables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from deeplimits.cli import completion
from deeplimits.cli.left_out import leave_out
from deeplimits.cli.options import configured
from deeplimits.cli.tables import print_table
from deeplimits.errors import InputError
from deeplimits.store.strict_json import strict_json

if TYPE_CHECKING:
    from deeplimits.store.place import Place
    from deeplimits.sweep.config import Config

OneStudy = Annotated[
    str, typer.Argument(metavar="STUDY", help="Name of a study.", autocompletion=completion.studies)
]
SomeStudy = Annotated[
    str | None,
    typer.Argument(
        metavar="STUDY",
        help="One study; all of the configuration by default.",
        autocompletion=completion.studies,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


@configured
def plan(settings: Config, study: SomeStudy = None, as_json: AsJson = False) -> None:
    """What is missing and what it will cost: points, blocks, jobs, time, memory and disk."""
    from deeplimits.jobs.status import planned

    rows, total = planned(settings, study)
    if as_json:
        print(strict_json(rows))
        return
    from deeplimits.cli.progress import planned_lines

    for line in planned_lines(rows, total):
        print(line)


@configured
def status(
    settings: Config,
    study: SomeStudy = None,
    as_json: AsJson = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again and again, until all is done or Ctrl-C.")
    ] = False,
) -> None:
    """How far everything is: what is done, out of date, missing or has failed, and the time left by the cost
    model.
    """
    from deeplimits.jobs.status import progress

    if as_json and watch:
        raise InputError("--watch", "", "<an option>", "none with --json, which is printed once")
    if as_json:
        print(strict_json([each.row() for each in progress(settings, study).studies]))
        return
    from deeplimits.cli.progress import show_progress, watch_progress

    if watch:
        watch_progress(lambda: progress(settings, study))
    else:
        show_progress(progress(settings, study))


@configured
def aggregate(
    settings: Config,
    study: OneStudy,
    cores: Annotated[
        int | None,
        typer.Option(
            "--cores", min=1, metavar="N", help="Processes at most; as many as there are cores by default."
        ),
    ] = None,
) -> None:
    """Reduce the samples of a study: laws, moments, comparisons and rates. What has not changed is kept."""
    from deeplimits.engines.run.cpu import available_threads
    from deeplimits.jobs.aggregate import aggregate_study
    from deeplimits.store.watched import watched

    if settings.dask is None and "DASK_SCHEDULER" not in os.environ:
        leave_out("dask")
    cores = cores or available_threads()
    print(aggregate_study(settings.study(study), settings.results, cores, settings.dask, watched))


@configured
def figure(
    settings: Config,
    name: Annotated[
        str,
        typer.Argument(
            metavar="FIGURE",
            help="STUDY/FIGURE, or FIGURE where only one study has it.",
            autocompletion=completion.figures,
        ),
    ],
) -> None:
    """Draw one figure of a study, as PDF, SVG and PNG. A store that is stale is refused."""
    from deeplimits.drawing.build import build_figure, find_figure

    leave_out("dask")
    study, drawn = find_figure(settings, name)
    for path in build_figure(study, drawn, settings.results, settings):
        print(path)


@configured
def show(place: Place, study: OneStudy) -> None:
    """What the store of a study holds: comparisons and rates, as tables; and in what it is stale."""
    from deeplimits.store.paths import aggregated_studies
    from deeplimits.store.shown import shown_study
    from deeplimits.store.staleness import compared

    leave_out("dask")
    if place.config and study not in aggregated_studies(place.results):
        place.config.study_path(study)
    shown = shown_study(place.results, study)
    stale = compared(shown.attributes, study, place.config) if place.config else ""
    points = "1 point" if shown.points == 1 else f"{shown.points:,} points"
    print(f"{shown.title}\n{points}, {shown.samples:,} samples each")
    if shown.same:
        print("the same in all rows: " + ", ".join(f"{name} {value}" for name, value in shown.same.items()))
    if stale:
        print(f"\n{stale}")
    print()
    if len(shown.comparison):
        print_table(shown.comparison, "distances: ks, or rms to a limit that is a number")
        print("estimate: value with its noise taken off; low, high: 95 %; floor: what noise alone makes\n")
    else:
        print("no distances")
    if len(shown.rates):
        print_table(shown.rates, "rates: distance ~ size^-exponent along each series")
        print("A series that is not there has fewer than three distances above their noise.")
    elif shown.fits:
        print("no rates: no series of points that differ in size alone has three distances above their noise")


@configured
def tables(
    place: Place,
    studies: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STUDY…",
            help="Studies; all that have a store by default.",
            autocompletion=completion.studies,
        ),
    ] = None,
) -> None:
    """Write what studies hold of distances and rates as a page, tables.html in the folder of results."""
    from deeplimits.jobs.tables import write_tables
    from deeplimits.store.paths import aggregated_studies

    leave_out("dask")
    for path in write_tables(place.results, studies or aggregated_studies(place.results)):
        print(path)


@configured
def export(
    place: Place,
    study: OneStudy,
    target: Annotated[
        str, typer.Argument(help="A folder, or a URL of an object storage such as s3://BUCKET/PREFIX.")
    ],
    reduced: Annotated[
        bool, typer.Option("--reduced", help="Leave out the samples of every network.")
    ] = False,
) -> None:
    """Publish a study as one Zarr store that describes itself, which plain xarray reads."""
    from deeplimits.analysis.export import export_study
    from deeplimits.store.staleness import compared, warn
    from deeplimits.store.study_groups import study_attributes
    from deeplimits.store.watched import watched

    if place.config is not None:
        warn(compared(study_attributes(place.results, study), study, place.config))
    print(export_study(place.results, study, target, samples=not reduced, config=place.config, watch=watched))
