"""Verbs that keep results whole: check every file, make again what is bad, remove what no study wants."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deeplimits.cli.options import configured
from deeplimits.store.strict_json import strict_json
from deeplimits.sweep.amounts import counted, data_size

if TYPE_CHECKING:
    from deeplimits.store.place import Place
    from deeplimits.sweep.config import Config

SomeStudy = Annotated[
    str | None, typer.Argument(help="One study with its blocks and figures; all results by default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


@configured
def verify(
    results: Path,
    study: SomeStudy = None,
    recompute: Annotated[
        int, typer.Option("--recompute", min=0, help="Random blocks to draw again and compare bit for bit.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Check every file of the results against its digest.

    The exit code is 0 where all is whole, 1 where something is not, 2 where it could not be looked at.
    """
    from deeplimits.engines.run.cpu import available_threads
    from deeplimits.jobs.verify import verify_store
    from deeplimits.store.watched import watched

    report = verify_store(results, study, recompute, available_threads(), watched)
    if as_json:
        print(strict_json(report.row()))
    else:
        for finding in report.findings:
            print(finding, file=sys.stderr)
        print(report)
        if any(finding.part for finding in report.findings):
            print("`deeplimits repair` makes it again, and so does the next run of the workflow")
    if report.findings:
        raise typer.Exit(1)


@configured
def repair(place: Place, study: SomeStudy = None, as_json: AsJson = False) -> None:
    """Make again exactly what is bad: every file is then what it was.

    The exit code is 0 where all is whole afterwards, 1 where something is not, 2 where it could not be looked
    at. Files that nothing wrote there stay, and do not count.
    """
    from deeplimits.engines.run.cpu import available_threads
    from deeplimits.jobs.repair import Repair, result
    from deeplimits.jobs.turns import turn_on
    from deeplimits.jobs.verify import verify_store
    from deeplimits.store.watched import watched

    threads = available_threads()
    tell = (lambda _: None) if as_json else (lambda part: print(f"made again: {part}", flush=True))
    work = Repair(place, threads, watched, tell)
    with turn_on(place.results, sys.argv, lambda text: print(f"deeplimits: {text}", file=sys.stderr)):
        report = verify_store(place.results, study, 0, threads, watched)
        left = work.mend(list(report.findings))
    bad = [finding for finding in left if finding.kind != "stray"]
    if as_json:
        print(strict_json(result(work, left)))
    else:
        for part, why in work.failed.items():
            print(f"not made again: {part}: {why}", file=sys.stderr)
        for finding in left:
            print(finding, file=sys.stderr)
        print(
            f"{counted(len(report.findings), 'problem')} found, {counted(len(work.mended), 'part')} made "
            f"again: {counted(len(bad), 'problem')} left"
        )
    if bad or work.failed:
        raise typer.Exit(1)


@configured
def prune(
    settings: Config,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what no study file wants, at the scale of the configuration; asks before it does.

    Where nobody can be asked, nothing is removed without --yes.
    """
    from deeplimits.jobs.prune import check_no_run, unwanted
    from deeplimits.jobs.turns import turn_on
    from deeplimits.store.place import find_place

    find_place(settings.path, settings.results)
    found = unwanted(settings)
    size = data_size(sum(each.bytes for each in found))
    if not as_json:
        for each in found:
            print(each)
        print(f"{counted(sum(len(each.files) for each in found), 'file')}, {size}")
    wanted = bool(found) and not dry_run and (yes or (not as_json and _agreed()))
    rows = [
        {"what": each.what, "why": each.why, "bytes": each.bytes, "files": [*map(str, each.files)]}
        for each in found
    ]
    if wanted:
        check_no_run(Path(".snakemake"))
        with turn_on(settings.results, sys.argv):
            for each in found:
                each.remove()
    if as_json:
        print(strict_json({"removed": wanted, "unwanted": rows}))
    elif found:
        print("removed" if wanted else "nothing was removed; --yes removes it")


def _agreed() -> bool:
    return sys.stdin.isatty() and typer.confirm("Remove this?")
