"""The command line: one verb for each step of the workflow, and for each question to the store.

Verbs import what they need when they run: the start-up of ``simulate`` is part of the price of every job.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from typing import Annotated

import typer

from deeplimits import __version__
from deeplimits.cli import answers, explore, networks, project, studies, upkeep
from deeplimits.errors import InputError


def _version(asked: bool) -> None:
    if asked:
        print(f"deeplimits {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="deeplimits",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(epilog="Example: deeplimits limit --activation tanh --width 300 --depth 40 --correlation 0.3")
def _program(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """What a random deep network does at initialisation, and which differential equation it follows."""


EXAMPLES: dict[Callable[..., None], str] = {
    project.init: "deeplimits init my-networks",
    project.run: "deeplimits run lnr22-figure-1 --cores 2",
    networks.simulate: "deeplimits simulate --activation relu --width 64 --depth 64 --correlation 0.3 "
    "--samples 0:1024 --out networks.zarr.zip",
    networks.limit: "deeplimits limit --activation tanh --width 300 --depth 40 --correlation 0.3 "
    "--simulate 4096",
    explore.explore: "deeplimits explore --out explorer.html",
    studies.plan: "deeplimits plan lnr22-figure-1",
    studies.status: "deeplimits status --watch",
    studies.aggregate: "deeplimits aggregate lnr22-figure-1",
    studies.figure: "deeplimits figure lnr22-figure-1/lnr22_figure_1",
    studies.show: "deeplimits show lnr22-figure-1",
    studies.tables: "deeplimits tables",
    studies.export: "deeplimits export lnr22-figure-1 s3://bucket/lnr22-figure-1",
    answers.claims: "deeplimits claims --page scoreboard.html",
    answers.query: 'deeplimits query "SELECT width, avg(mean) FROM moments GROUP BY width" --out mean.csv',
    upkeep.verify: "deeplimits verify --recompute 10",
    upkeep.repair: "deeplimits repair",
    upkeep.prune: "deeplimits prune --dry-run",
}
"""A command line of every verb, shown at the end of its help."""

for verb, example in EXAMPLES.items():
    # the list of verbs has room for no more than how the sentence begins
    summary = re.split("[.,:;]", verb.__doc__ or "")[0]
    words = {"allow_extra_args": True, "ignore_unknown_options": True} if verb is project.run else None
    app.command(epilog=f"Example:\n\n\b\n{example}", short_help=f"{summary}.", context_settings=words)(verb)


def main() -> None:
    """Run the command line; bad input ends in one message on standard error and exit code 2."""
    from deeplimits.cli.streams import as_programs_do, flush, given_up
    from deeplimits.errors import DeviceError, one_line, visible
    from deeplimits.processor import hold
    from deeplimits.store.errors import StoreError

    hold()
    as_programs_do()
    try:
        try:
            app()
        finally:
            flush()
    except (InputError, StoreError, DeviceError) as error:
        print(f"deeplimits: {visible(str(error))}", file=sys.stderr)
        sys.exit(2)
    except ModuleNotFoundError as error:
        from deeplimits.extras import missing_package

        if not (said := missing_package(error)):
            raise
        print(f"deeplimits: {said}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if given_up():
            error.filename = "standard output"
        print(f"deeplimits: {visible(one_line(error))}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        import logging

        # reads of Zarr that are under way in its own thread would say that nobody waited for them
        logging.disable()
        warnings.simplefilter("ignore")
        sys.exit(130)
