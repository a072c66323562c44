"""Plans and progress in words: a table in a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from deeplimits.sweep.amounts import about, counted, data_size, duration

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from deeplimits.jobs.status import Progress, StudyProgress

PAUSE = 2.0
"""Seconds between two looks, at least."""
SHARE = 4.0
"""The pause is at least so many times as long as the look."""
MOST_JOBS = 8
"""Unfinished jobs that are listed."""


def planned_lines(rows: Sequence[dict[str, Any]], total: dict[str, Any]) -> Iterator[str]:
    """A line for each study, and what all of them take together."""
    for row in rows:
        yield (
            f"{row['study']}: {counted(row['points'], 'point')}, {row['samples']:,} samples each; "
            f"{row['blocks_missing']:,} of {counted(row['blocks'], 'block')} missing"
            + (
                f": {counted(row['jobs'], 'job')}, {duration(3600 * row['core_hours'])}, "
                f"{data_size(row['bytes'])} before compression"
                if row["blocks_missing"]
                else ""
            )
        )
    after = total["aggregation_seconds"] + total["figure_seconds"]
    if not total["jobs"]:
        yield (
            f"total: {counted(total['points'], 'point')}, nothing to simulate; "
            f"time of one core to compare and draw everything anew: {duration(after)}"
        )
        return
    yield (
        f"total: {counted(total['points'], 'point')}, {counted(total['jobs'], 'job')}; "
        f"time of one core: {duration(3600 * total['core_hours'])} to simulate what is missing, "
        f"{duration(after)} to compare and draw everything; "
        f"memory: {data_size(total['job_bytes'])} a job; "
        f"disk: {data_size(total['bytes'])} before compression"
    )


def show_progress(progress: Progress, console: Console | None = None) -> None:
    """Print how far all studies are, to ``console`` or standard output."""
    if console is None and not sys.stdout.isatty():
        print("\n".join(progress_lines(progress)))
        return
    from rich.console import Console

    (console or Console()).print(progress_table(progress))


def watch_progress(look: Callable[[], Progress], console: Console | None = None) -> None:
    """Show how far all studies are, again and again, until nothing is left to do or Ctrl-C is pressed.

    In a terminal the table stays where it is; elsewhere lines are printed where something has changed.
    """
    with suppress(KeyboardInterrupt):
        if console is None and not sys.stdout.isatty():
            _watch(look, _printer())
            return
        from rich.console import Console
        from rich.live import Live

        with Live(console=console or Console(), auto_refresh=False) as live:
            _watch(look, lambda found: live.update(progress_table(found), refresh=True))


def _watch(look: Callable[[], Progress], show: Callable[[Progress], None]) -> None:
    while True:
        start = time.monotonic()
        found = look()
        show(found)
        if found.is_complete:
            return
        time.sleep(max(PAUSE, SHARE * (time.monotonic() - start)))


def _printer() -> Callable[[Progress], None]:
    """Prints what was not printed the last time."""
    before: list[str] = []

    def show(found: Progress) -> None:
        nonlocal before
        lines = list(progress_lines(found))
        for line in lines:
            if line not in before:
                print(line, flush=True)
        before = lines

    return show


def progress_lines(progress: Progress) -> Iterator[str]:
    """A line for each study and for each job without a result, and one of all studies where there are
    several.
    """
    for study in progress.studies:
        yield f"{study.study}: {_blocks(study)} blocks, {_store(study)}, {_drawn(study)}; {_left(study)}"
    for job in progress.total.unfinished:
        yield str(job)
    if len(progress.studies) > 1:
        aggregated = sum(study.aggregated and not study.stale for study in progress.studies)
        yield (
            f"total: {_blocks(progress.total)} blocks, {aggregated:,} of {len(progress.studies):,} studies "
            f"aggregated, {_drawn(progress.total)}; {_left(progress.total)}"
        )


def progress_table(progress: Progress) -> RenderableType:
    """A row for each study and for all of them, and the jobs without a result below."""
    from rich import box
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_footer=len(progress.studies) > 1)
    aggregated = sum(study.aggregated and not study.stale for study in progress.studies)
    total = progress.total
    table.add_column("study", "total", overflow="fold")
    table.add_column("blocks", _blocks(total), justify="right")
    table.add_column("store", f"{aggregated:,} of {len(progress.studies):,} up to date", overflow="fold")
    table.add_column("figures", _figures(total), justify="right")
    table.add_column("left, on one core", _left(total), justify="right")
    for study in progress.studies:
        cells = (study.study, _blocks(study), _store(study), _figures(study), _left(study))
        style = "red" if any(job.failed for job in study.unfinished) else None
        table.add_row(*map(escape, cells), style=style or ("dim" if not study.seconds else None))
    jobs = total.unfinished
    said = [Text(str(job), style="red" if job.failed else "", overflow="fold") for job in jobs[:MOST_JOBS]]
    if len(jobs) > MOST_JOBS:
        said.append(Text(f"and {len(jobs) - MOST_JOBS:,} more"))
    return Group(table, *said)


def _blocks(study: StudyProgress) -> str:
    return f"{study.blocks_done:,} of {study.blocks:,}"


def _store(study: StudyProgress) -> str:
    if not study.aggregated:
        return "not aggregated"
    return f"aggregated, but stale ({'; '.join(study.stale)})" if study.stale else "aggregated, up to date"


def _figures(study: StudyProgress) -> str:
    old = study.figures_done - study.figures_up_to_date
    text = f"{study.figures_done:,} of {study.figures:,}"
    return f"{text} ({old:,} out of date)" if old else text


def _drawn(study: StudyProgress) -> str:
    old = study.figures_done - study.figures_up_to_date
    text = f"{study.figures_done:,} of {study.figures:,} figures"
    return f"{text} ({old:,} of them out of date)" if old else text


def _left(study: StudyProgress) -> str:
    return about(study.seconds) if study.seconds else "done"
