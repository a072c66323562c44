"""The command line: one verb for each step of the workflow, and for each question to the store.

Verbs import what they need when they run: the start-up of ``simulate`` is part of the price of every job.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deeplimits.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from deeplimits.sweep.config import Config

app = typer.Typer(
    name="deeplimits",
    help="What a random deep network does at initialisation, and which differential equation it follows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)

ConfigOption = Annotated[Path, typer.Option("--config", help="Configuration file.")]
ResultsOption = Annotated[
    Path | None, typer.Option("--results", help="Folder of results, in place of the configuration's.")
]
ScaleOption = Annotated[
    str | None, typer.Option("--scale", help="papers or deep, in place of the configuration's.")
]
DEFAULT_CONFIG = Path("config/config.yaml")


def main() -> None:
    """Run the command line; bad input ends in one message on standard error and exit code 2."""
    from deeplimits.errors import DeviceError
    from deeplimits.store.errors import StoreError

    try:
        app()
    except (InputError, StoreError, DeviceError) as error:
        print(f"deeplimits: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _config(path: Path, results: Path | None, scale: str | None) -> Config:
    from deeplimits.sweep.config import load_config

    overrides = {"results": str(results) if results else None, "scale": scale}
    return load_config(path, {key: value for key, value in overrides.items() if value is not None})


def _json(value: Any, indent: int = 2) -> str:
    """Strict JSON: null where a number is not finite."""
    import json
    import math

    def strict(found: Any) -> Any:
        if isinstance(found, dict):
            return {key: strict(each) for key, each in found.items()}
        if isinstance(found, list | tuple):
            return [strict(each) for each in found]
        return None if isinstance(found, float) and not math.isfinite(found) else found

    return json.dumps(strict(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _print_table(frame: pd.DataFrame, title: str | None = None) -> None:
    """A table that fits the terminal, or as wide as it is where it goes into a file or a pipe."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in frame.columns:
        numbers = frame[column].dtype.kind in "iuf"
        table.add_column(str(column), justify="right" if numbers else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(escape(f"{value:g}" if isinstance(value, float) else str(value)) for value in row))
    Console(width=None if sys.stdout.isatty() else 1000, highlight=False).print(table)


@app.command()
def simulate(
    source: Annotated[Path, typer.Argument(help="TODO.json written by a plan, or POINT.yaml.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Container to write, FILE.zarr.zip; beside a todo by default."),
    ] = None,
    samples: Annotated[
        str | None, typer.Option("--samples", help="A:B, the samples of a point to draw (0:8192).")
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="auto, cpu, cuda or oracle.")] = "auto",
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="All processors by default.")
    ] = None,
) -> None:
    """Draw networks and write them to a container."""
    from deeplimits.engines import resolve

    resolve(engine)
    if out is not None and not out.name.endswith(".zarr.zip"):
        raise InputError("--out", "", str(out), "a name that ends in .zarr.zip")
    if source.suffix == ".json":
        from deeplimits.store.receipts import read_todo
        from deeplimits.store.simulate import simulate_batch

        if samples is not None:
            raise InputError("--samples", "", samples, "no samples with a todo file, which names its own")
        blocks = read_todo(source)
        container = out or source.with_name(
            source.name.removesuffix(".json").removesuffix(".todo") + ".zarr.zip"
        )
        receipt = container.with_name(container.name.removesuffix(".zarr.zip") + ".json")
        simulate_batch(blocks, container, receipt, engine, threads)
        return
    from deeplimits.store.simulate import simulate_range
    from deeplimits.sweep.points import load_point

    point = load_point(source)
    if out is None:
        raise InputError("--out", "", "<nothing>", "a file to write, FILE.zarr.zip")
    first, stop = _sample_range(samples or "0:8192")
    simulate_range(point, first, stop - first, out, engine, threads)


def _sample_range(text: str) -> tuple[int, int]:
    first, colon, stop = text.partition(":")
    if not (colon and first.isdecimal() and stop.isdecimal() and int(first) < int(stop) <= 1 << 56):
        raise InputError("--samples", "", text, "A:B with 0 ≤ A < B, such as 0:8192")
    return int(first), int(stop)


@app.command()
def limit(
    source: Annotated[Path, typer.Argument(help="POINT.yaml.")],
    observable: Annotated[str, typer.Option("--observable")] = "correlation",
    name: Annotated[
        str | None, typer.Option("--limit", help="Name of a limit; that of the point's regime by default.")
    ] = None,
    matched: Annotated[
        bool, typer.Option("--matched", help="The SDE with the network's own constants, at its own n and d.")
    ] = False,
    layer: Annotated[int | None, typer.Option("--layer", help="Layer; the last by default.")] = None,
    quantiles: Annotated[
        str, typer.Option("--quantiles", help="Levels, separated by commas.")
    ] = "0.05,0.25,0.5,0.75,0.95",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON; null where not finite.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write there what --json prints.")] = None,
) -> None:
    """What theory predicts for a network, without simulating it."""
    from deeplimits.api import predict
    from deeplimits.limits import matched_limit
    from deeplimits.limits.observables import parse
    from deeplimits.sweep.points import load_point

    if matched and name is not None:
        raise InputError("--matched", "", f"--limit {name}", "either --matched or --limit")
    levels = [level.strip() for level in quantiles.split(",")]
    network = load_point(source).network
    if matched:
        parse(observable, source, "observable")
        chosen = matched_limit(network, observable)
        if not chosen.applies(network):
            raise InputError(
                source,
                "",
                "--matched",
                f"a network whose {observable} has an equation with the network's own constants; "
                "without --matched, what its limit predicts",
            )
        name = chosen.name
    answer = predict(network, observable, name, layer, levels, source)
    text = _json(answer)
    if out is not None:
        from deeplimits.store.atomic import write_text

        write_text(out, text + "\n")
    if as_json:
        print(text)
    elif out is None:
        print(f"{answer['limit']}: {answer['observable']} at time {answer['time']:.6g}")
        print(f"  mean {answer['mean']:.8g}   std {answer['std']:.8g}")
        for level, value in answer["quantiles"].items():
            print(f"  quantile {level:>6}  {value:.8g}")
        if "explosion_probability" in answer:
            print(
                f"  explosion {answer['explosion_probability']:.6g} by then, "
                f"{answer['explosion_probability_ever']:.6g} ever"
            )
        if "samples" in answer:
            low, high = answer["mean_interval"]
            print(f"  sampled: {answer['samples']} paths, 95 % interval of the mean {low:.6g} to {high:.6g}")


@app.command()
def plan(
    study: Annotated[
        str | None, typer.Argument(help="One study; all of the configuration by default.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    results: ResultsOption = None,
    scale: ScaleOption = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Points, blocks, jobs, core-hours and bytes, before anything runs."""
    from deeplimits.store.status import planned

    rows = planned(_config(config, results, scale), study)
    if as_json:
        print(_json(rows))
        return
    for row in rows:
        print(
            f"{row['study']}: {row['points']:,} points, {row['samples']:,} samples each; "
            f"{row['blocks_missing']:,} of {row['blocks']:,} blocks missing: {row['jobs']:,} jobs, "
            f"{row['core_hours']:.3g} core-hours, {row['bytes'] / 1e6:,.1f} MB before compression"
        )


@app.command()
def status(
    study: Annotated[
        str | None, typer.Argument(help="One study; all of the configuration by default.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    results: ResultsOption = None,
    scale: ScaleOption = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """What is done and what is missing, and the time left by the cost model."""
    from deeplimits.store.status import progress

    rows = progress(_config(config, results, scale), study)
    if as_json:
        print(_json(rows))
        return
    for row in rows:
        done = "aggregated" if row["aggregated"] else "not aggregated"
        print(
            f"{row['study']}: {row['blocks_done']:,} of {row['blocks']:,} blocks, {done}, "
            f"{row['figures_done']} of {row['figures']} figures; "
            f"about {row['core_minutes_left']:.2g} core-minutes of simulation left"
        )


@app.command()
def aggregate(
    study: Annotated[str, typer.Argument(help="Name of a study.")],
    config: ConfigOption = DEFAULT_CONFIG,
    results: ResultsOption = None,
    scale: ScaleOption = None,
) -> None:
    """Reduce a study's blocks to laws, moments, comparisons and rates."""
    from deeplimits.analysis.aggregate import aggregate_study

    settings = _config(config, results, scale)
    print(aggregate_study(settings.study(study), settings.results))


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="STUDY/FIGURE, or FIGURE where only one study has it.")],
    config: ConfigOption = DEFAULT_CONFIG,
    results: ResultsOption = None,
    scale: ScaleOption = None,
) -> None:
    """Draw one figure from a study store, as PDF, SVG and PNG."""
    from deeplimits.figures import build_figure
    from deeplimits.figures.names import find_figure

    settings = _config(config, results, scale)
    study, drawn = find_figure(settings, name)
    for path in build_figure(study, drawn, settings.results):
        print(path)


@app.command()
def show(
    study: Annotated[str, typer.Argument(help="Name of a study.")],
    config: ConfigOption = DEFAULT_CONFIG,
    results: ResultsOption = None,
    scale: ScaleOption = None,
) -> None:
    """A study's comparisons and rates, as tables."""
    from deeplimits.api import study_tables

    settings = _config(config, results, scale)
    comparison, rates = study_tables(settings, study)
    chosen = settings.study(study)
    print(f"{chosen.title}\n{len(chosen.points)} points, {chosen.samples:,} samples each\n")
    _print_table(comparison, "distances: ks, or rms to a limit that is a number")
    if len(rates):
        _print_table(rates, "rates: distance ~ size^-exponent")


@app.command()
def claims(
    config: ConfigOption = DEFAULT_CONFIG,
    results: ResultsOption = None,
    scale: ScaleOption = None,
    folder: Annotated[
        Path, typer.Option("--claims", help="Folder of the files of claims, NAME.yaml.")
    ] = Path("claims"),
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write there what --json prints.")] = None,
    page: Annotated[Path | None, typer.Option("--page", help="Write the scoreboard there, as HTML.")] = None,
    figure: Annotated[
        Path | None,
        typer.Option("--figure", help="Draw the scoreboard there: FILE.png, and .pdf and .svg beside it."),
    ] = None,
) -> None:
    """Hold every numbered claim against the studies: holds, fails or undecided."""
    from deeplimits.analysis.claims import verdicts
    from deeplimits.store.atomic import write_text
    from deeplimits.sweep.claims import load_claims

    settings = _config(config, results, scale)
    rows = verdicts(load_claims(folder, settings.studies_folder), settings.results)
    text = _json(rows, 1)
    if out is not None:
        write_text(out, text + "\n")
    if page is not None:
        from deeplimits.figures.claims_page import page_of

        write_text(page, page_of(rows))
    if figure is not None:
        from deeplimits.figures.claims_scoreboard import draw
        from deeplimits.figures.style import save
        from deeplimits.store.paths import FIGURE_FORMATS

        save(draw(rows), tuple(figure.with_suffix(f".{suffix}") for suffix in FIGURE_FORMATS))
    if as_json:
        print(text)
    elif out is None and page is None and figure is None:
        _print_claims(rows)


def _print_claims(rows: list[dict[str, Any]]) -> None:
    import pandas as pd

    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.3g}"

    table = [
        {
            "id": row["id"],
            "verdict": row["verdict"],
            "effect": number(row["effect"]),
            "interval": "" if row["interval"] is None else " … ".join(map(number, row["interval"])),
            "margin": {"equal": "± ", "at_most": "≤ ", "at_least": "≥ −"}[row["sense"]]
            + number(row["margin"]),
            "samples": f"{row['samples']:,}",
            "study": row["study"],
            "statement": row["statement"]
            if row["reason"] is None
            else f"{row['statement']} [{row['reason']}]",
        }
        for row in rows
    ]
    counts = {name: sum(row["verdict"] == name for row in rows) for name in ("holds", "fails", "undecided")}
    _print_table(
        pd.DataFrame(table), f"{len(rows)} claims: " + ", ".join(f"{n} {name}" for name, n in counts.items())
    )


@app.command()
def query(
    sql: Annotated[
        str,
        typer.Argument(
            help="One SELECT; tables: points, blocks, moments, quantiles, comparison, rates, events, growth, "
            "claims."
        ),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    results: ResultsOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values.")] = False,
) -> None:
    """Ask the store, in SQL; it cannot be changed this way."""
    from deeplimits.store.query import run_query

    frame = run_query(_config(config, results, None).results, sql)
    if as_csv:
        print(frame.to_csv(index=False).rstrip("\n"))
    else:
        _print_table(frame)


@app.command()
def verify(
    config: ConfigOption = DEFAULT_CONFIG,
    results: ResultsOption = None,
    recompute: Annotated[
        int, typer.Option("--recompute", min=0, help="Blocks to draw again and compare bit for bit.")
    ] = 0,
) -> None:
    """Check every container against its receipt."""
    from deeplimits.store.verify import verify_store

    folder = _config(config, results, None).results
    if not folder.is_dir():
        raise InputError(folder, "", "<no such folder>", "a folder of results")
    problems, checked = verify_store(folder, recompute)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{checked} containers checked, {len(problems)} problems")
    if problems:
        raise typer.Exit(1)
