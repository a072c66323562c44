"""Verbs about networks: what is drawn, and what theory says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from deeplimits.cli.completion import BY_NAME
from deeplimits.cli.network_options import networked, point_from
from deeplimits.errors import InputError
from deeplimits.store.strict_json import strict_json


@networked
def simulate(
    source: Path | None,
    recorded: dict[str, str],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Container to write, FILE.zarr.zip; beside a todo by default."
        ),
    ] = None,
    samples: Annotated[
        str | None,
        typer.Option(
            "--samples", metavar="N|A:B", help="How many networks of a point, or A:B, their numbers (0:8192)."
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            "--engine", metavar="NAME", help="auto, cpu, cuda or oracle.", autocompletion=BY_NAME["engine"]
        ),
    ] = "auto",
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, metavar="N", help="All processors by default.")
    ] = None,
    gradients: Annotated[bool, typer.Option("--gradients", help="Store gradients too.")] = False,
    output: Annotated[bool, typer.Option("--output", help="Store the output too.")] = False,
) -> None:
    """Draw networks and write them to a container."""
    from deeplimits.engines import resolve

    resolve(engine)
    if out is not None and not out.name.endswith(".zarr.zip"):
        raise InputError("--out", "", str(out), "a name that ends in .zarr.zip")
    if source is not None and source.suffix == ".json":
        from deeplimits.jobs.simulate import simulate_batch
        from deeplimits.store.receipts import read_todo
        from deeplimits.store.watched import watched
        from deeplimits.sweep.cost import seconds

        extra = [*recorded, *(["gradients"] if gradients else []), *(["output"] if output else [])]
        if samples is not None:
            raise InputError("--samples", "", samples, "no samples with a todo file, which names its own")
        if extra:
            flag = "--" + extra[0].replace("_", "-")
            raise InputError(flag, "", "<an option>", "none with a todo file, which names its networks")
        blocks = read_todo(source)
        container = out or source.with_name(
            source.name.removesuffix(".json").removesuffix(".todo") + ".zarr.zip"
        )
        receipt = container.with_name(container.name.removesuffix(".zarr.zip") + ".json")
        if receipt.exists() and receipt.samefile(source):
            expected = f"another name for the container: its receipt would take the place of {source}"
            raise InputError("--out", "", str(container), expected)
        # blocks differ much in size: what is done of the work tells more than how many there are
        with watched(sum(map(seconds, blocks)), "core-seconds") as tell:
            simulate_batch(blocks, container, receipt, engine, threads, lambda block: tell(seconds(block)))
        return
    from dataclasses import replace

    from deeplimits.engines.gradients.call import check_gradients
    from deeplimits.jobs.simulate import simulate_range
    from deeplimits.sweep.amounts import counted, data_size

    point = point_from(source, recorded)
    if gradients:
        check_gradients(point.network, "--gradients")
    point = replace(point, gradients=point.gradients or gradients, output=point.output or output)
    if out is None:
        raise InputError("--out", "", "<nothing>", "a file to write, FILE.zarr.zip")
    first, stop = _sample_range(samples or "0:8192")
    simulate_range(point, first, stop - first, out, engine, threads)
    layers = counted(len(point.layers), "layer")
    print(f"{out}: {counted(stop - first, 'network')} at {layers}, {data_size(out.stat().st_size)}")


def _sample_range(text: str) -> tuple[int, int]:
    first, _, stop = text.rpartition(":") if ":" in text else ("0", "", text)
    if not (first.isdecimal() and stop.isdecimal() and int(first) < int(stop) <= 1 << 56):
        raise InputError("--samples", "", text, "a number such as 8192, or A:B with 0 ≤ A < B")
    return int(first), int(stop)


@networked
def limit(
    source: Path | None,
    given: dict[str, str],
    observable: Annotated[
        str,
        typer.Option(
            "--observable",
            metavar="NAME",
            autocompletion=BY_NAME["observable"],
            help="correlation, log_variance, correlation_0_2, …",
        ),
    ] = "correlation",
    name: Annotated[
        str | None,
        typer.Option(
            "--limit",
            metavar="NAME",
            autocompletion=BY_NAME["limit"],
            help="Name of a limit; by default the finite network's own law where that takes seconds, "
            "else the limit of its regime.",
        ),
    ] = None,
    matched: Annotated[
        bool, typer.Option("--matched", help="The law with the network's own constants, at its own n and d.")
    ] = False,
    layer: Annotated[
        int | None, typer.Option("--layer", metavar="LAYER", help="Layer; the last by default.")
    ] = None,
    quantiles: Annotated[
        str, typer.Option("--quantiles", metavar="LEVELS", help="Levels, separated by commas.")
    ] = "0.05,0.25,0.5,0.75,0.95",
    simulated: Annotated[
        int, typer.Option("--simulate", min=0, metavar="N", help="Draw N networks beside the law.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON; null where not finite.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write there what --json prints.")
    ] = None,
) -> None:
    """What theory predicts for a network, and with --simulate what networks do."""
    from deeplimits.api import predict

    if matched and name is not None:
        raise InputError("--matched", "", f"--limit {name}", "either --matched or --limit")
    levels = [level.strip() for level in quantiles.split(",")]
    network = point_from(source, given, simulated=simulated > 0).network
    where = str(source or "limit")
    try:
        answer = predict(
            network, observable, name, layer, levels, where, matched=matched, simulated=simulated
        )
    except InputError as error:
        raise _about_options(error, where, matched) from None
    text = strict_json(answer)
    if out is not None:
        from deeplimits.store.atomic import write_text

        write_text(out, text + "\n")
    if as_json:
        print(text)
    elif out is None:
        _print_answer(answer)


def _about_options(error: InputError, where: str, matched: bool) -> InputError:
    """The same about the option whose value it was."""
    if matched and error.where == "limit" and error.key == "observable":
        expected = f"{error.expected}; without --matched, `deeplimits limit` says what its limit predicts"
        return InputError(where, "", "--matched", expected)
    if error.key in {"limit", "layer", "observable"} and error.where in {where, "limit", "--simulate"}:
        return InputError(f"--{error.key}", "", error.found, error.expected, error.nearest)
    return error


def _print_answer(answer: dict[str, Any]) -> None:
    """The network, its law in words and numbers, and networks beside it."""
    from deeplimits.analysis.described import in_lines

    for line in in_lines(answer["network"]):
        print(line)
    at = f"layer {answer['layer']}, time {answer['time']:.6g}"
    print(f"limit: {answer['limit']}, {answer['observable']} at {at}")
    print(f"  chosen: {answer['reason']} ({answer['source']})")
    if "warning" in answer:
        print(f"  warning: {answer['warning']}")
    if "error" in answer:
        print(f"  stated error: {_stated(answer['error'], deterministic=answer['std'] == 0)}")
    drawn, unbounded = answer.get("simulated"), answer["not_finite"]
    _print_numbers(answer, drawn)
    for sentence in dict.fromkeys(unbounded.values()):
        names = [name for name, each in unbounded.items() if each == sentence]
        print(f"  {', '.join(names)}: {sentence}")
    if "explosion_probability" in answer:
        print(
            f"  explosion {answer['explosion_probability']:.6g} by then, "
            f"{answer['explosion_probability_ever']:.6g} ever"
        )
    if "samples" in answer:
        low, high = answer["mean_interval"]
        print(f"  sampled: {answer['samples']:,} paths, 95 % interval of the mean {low:.6g} to {high:.6g}")
    if drawn:
        _print_distance(drawn)


def _print_numbers(law: dict[str, Any], drawn: dict[str, Any] | None) -> None:
    """Mean, standard deviation and quantiles, and those of networks beside them; or the value of a number."""
    if drawn is None and law["std"] == 0 and len({law["mean"], *law["quantiles"].values()}) == 1:
        print(f"  value {law['mean']:.8g}")
        return
    print(f"  {'':14} {'limit':>14}" + (f" {'networks':>14}" if drawn else ""))
    rows = [("mean", law["mean"], drawn and drawn["mean"]), ("std", law["std"], drawn and drawn["std"])]
    rows += [
        (f"quantile {level}", value, drawn and drawn["quantiles"][level])
        for level, value in law["quantiles"].items()
    ]
    for label, value, beside in rows:
        print(f"  {label:14} {value:>14.8g}" + (f" {beside:>14.8g}" if drawn else ""))


def _stated(error: float, *, deterministic: bool) -> str:
    """The error of a limit in words; ``deterministic``: of a limit that is a number."""
    if error >= 1:
        told = (
            "tells where networks lie, not how they spread"
            if deterministic
            else "is not the law of such networks"
        )
        return f"none; it {told}"
    if error == 0:
        return "0; it is exact"
    return f"networks are within a Kolmogorov distance of {error:.3g} of it"


def _print_distance(drawn: dict[str, Any]) -> None:
    count = "1 network" if drawn["samples"] == 1 else f"{drawn['samples']:,} networks"
    dead = f", {drawn['dead']:,} of them without a value" if drawn["dead"] else ""
    low, high = (f"{end:.4g}" for end in drawn["ks_interval"])
    print(f"  {count}{dead}: Kolmogorov distance {drawn['ks']:.4g}, ", end="")
    if "rms" not in drawn:
        print(f"noise taken off {low} to {high} (95 %); noise alone makes {drawn['noise_floor']:.4g}")
        return
    least, most = (f"{end:.4g}" for end in drawn["rms_interval"])
    print(f"95 % interval {low} to {high}; ", end="")
    print(f"root mean square from the limit {drawn['rms']:.4g}, {least} to {most}")
