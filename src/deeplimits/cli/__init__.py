"""The command line: one verb for each step of the workflow, and for each question to the store.

Verbs import what they need when they run: the start-up of ``simulate`` is part of the price of every job.
"""

from __future__ import annotations

import sys

import typer

from deeplimits.cli import answers, networks, studies
from deeplimits.errors import InputError

app = typer.Typer(
    name="deeplimits",
    help="What a random deep network does at initialisation, and which differential equation it follows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
for verb in (
    networks.simulate,
    networks.limit,
    studies.plan,
    studies.status,
    studies.aggregate,
    studies.figure,
    studies.show,
    answers.claims,
    answers.query,
    answers.verify,
):
    app.command()(verb)


def main() -> None:
    """Run the command line; bad input ends in one message on standard error and exit code 2."""
    from deeplimits.cli.streams import as_programs_do, flush, given_up
    from deeplimits.errors import DeviceError
    from deeplimits.store.errors import StoreError

    as_programs_do()
    try:
        try:
            app()
        finally:
            flush()
    except (InputError, StoreError, DeviceError) as error:
        print(f"deeplimits: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        where = "standard output" if given_up() else error.filename
        print(f"deeplimits: {f'{where}: ' if where else ''}{error.strerror or error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
