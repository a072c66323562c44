"""Verbs about networks: what is drawn, and what theory says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from deeplimits.cli.output import strict_json
from deeplimits.errors import InputError


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
    network = load_point(source, simulated=False).network
    if matched:
        parse(observable, source, "observable")
        try:
            name = matched_limit(network, observable).name
        except InputError as error:
            expected = f"{error.expected}; without --matched, `deeplimits limit` says what its limit predicts"
            raise InputError(source, "", "--matched", expected) from None
    answer = predict(network, observable, name, layer, levels, source)
    text = strict_json(answer)
    if out is not None:
        from deeplimits.store.atomic import write_text

        write_text(out, text + "\n")
    if as_json:
        print(text)
    elif out is None:
        _print_answer(answer)


def _print_answer(answer: dict[str, Any]) -> None:
    """The law in words."""
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
