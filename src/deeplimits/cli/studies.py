"""Verbs about studies: what they will cost, what is done, and the steps from blocks to figures and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deeplimits.cli.options import configured
from deeplimits.cli.output import print_table, strict_json

if TYPE_CHECKING:
    from deeplimits.sweep.config import Config

OneStudy = Annotated[str, typer.Argument(help="Name of a study.")]
SomeStudy = Annotated[str | None, typer.Argument(help="One study; all of the configuration by default.")]
AsJson = Annotated[bool, typer.Option("--json")]


@configured
def plan(
    settings: Config,
    study: SomeStudy = None,
    as_json: AsJson = False,
) -> None:
    """Points, blocks, jobs, core-hours and bytes, before anything runs."""
    from deeplimits.store.status import planned

    rows = planned(settings, study)
    if as_json:
        print(strict_json(rows))
        return
    for row in rows:
        print(
            f"{row['study']}: {row['points']:,} points, {row['samples']:,} samples each; "
            f"{row['blocks_missing']:,} of {row['blocks']:,} blocks missing: {row['jobs']:,} jobs, "
            f"{row['core_hours']:.3g} core-hours, {row['bytes'] / 1e6:,.1f} MB before compression"
        )


@configured
def status(
    settings: Config,
    study: SomeStudy = None,
    as_json: AsJson = False,
) -> None:
    """What is done and what is missing, and the time left by the cost model."""
    from deeplimits.store.status import progress

    rows = progress(settings, study)
    if as_json:
        print(strict_json(rows))
        return
    for row in rows:
        done = "aggregated" if row["aggregated"] else "not aggregated"
        print(
            f"{row['study']}: {row['blocks_done']:,} of {row['blocks']:,} blocks, {done}, "
            f"{row['figures_done']} of {row['figures']} figures; "
            f"about {row['core_minutes_left']:.2g} core-minutes of simulation left"
        )


@configured
def aggregate(
    settings: Config,
    study: OneStudy,
) -> None:
    """Reduce a study's blocks to laws, moments, comparisons and rates."""
    from deeplimits.analysis.aggregate import aggregate_study

    print(aggregate_study(settings.study(study), settings.results))


@configured
def figure(
    settings: Config,
    name: Annotated[str, typer.Argument(help="STUDY/FIGURE, or FIGURE where only one study has it.")],
) -> None:
    """Draw one figure from a study store, as PDF, SVG and PNG."""
    from deeplimits.figures import build_figure
    from deeplimits.figures.names import find_figure

    study, drawn = find_figure(settings, name)
    for path in build_figure(study, drawn, settings.results):
        print(path)


@configured
def show(
    settings: Config,
    study: OneStudy,
) -> None:
    """A study's comparisons and rates, as tables."""
    from deeplimits.api import study_tables

    comparison, rates = study_tables(settings, study)
    chosen = settings.study(study)
    print(f"{chosen.title}\n{len(chosen.points)} points, {chosen.samples:,} samples each\n")
    print_table(comparison, "distances: ks, or rms to a limit that is a number")
    if len(rates):
        print_table(rates, "rates: distance ~ size^-exponent")
