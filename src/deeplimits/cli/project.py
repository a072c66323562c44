"""Verbs for a project away from the repository: a folder to begin with, and the workflow in it."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from deeplimits.errors import InputError, nearest_name, one_of

CONFIG = """# What `deeplimits run` computes here. Every key has a default, and can be given in the command:
# `deeplimits run --config scale=deep results=/scratch/me/results`.

studies: all # every file of studies/ but template.yaml; or a list of names
scale: papers # or deep: 64 times as many networks
results: results # folder of everything that is computed
claims: none # or a folder of claims that the studies are held against
"""
FIRST = """# How fast does the correlation of two inputs approach its limit? Change this file, or add others:
# template.yaml explains every line. `deeplimits plan first` tells what it will cost.

title: Correlation of two inputs in shaped ReLU networks, depth = width

networks:
  - activation: {name: relu, c_plus: 0.0, c_minus: -0.5} # slopes 1 and 1 - 1/(2 sqrt(n))
    shaping: {by: width, exponent: 0.5}

grid: {width: [8, 16, 32, 64], depth: {times_width: 1.0}, correlation: 0.3}
samples: 8192
record: {layers: 9}

compare:
  - {observable: correlation, limit: matched_sde, at: all, rate_in: width}

figures: [law_against_limit, quantiles_against_time, ks_against_width]
"""
IGNORED = "results/\n.snakemake/\n"


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that is new or empty.")],
    study: Annotated[
        list[str] | None,
        typer.Option(
            "--study", metavar="NAME", help="Begin with a study of the papers; may be given several times."
        ),
    ] = None,
) -> None:
    """Begin a project: a configuration, a first study, and a template of others. No checkout is needed."""
    from deeplimits.store.commands import workflow_folder

    shipped = workflow_folder() / "config/studies"
    names = sorted(path.stem for path in shipped.glob("*.yaml") if path.stem != "template")
    for name in study or ():
        if name not in names:
            raise InputError("--study", "", name, one_of(names, "a study: "), nearest_name(name, names))
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        found = "<a file>" if folder.is_file() else "<a folder with files in it>"
        raise InputError(folder, "", found, "a folder that is new or empty")
    texts = {"config/config.yaml": CONFIG, ".gitignore": IGNORED}
    for name in ("template", *(study or ())):
        text = (shipped / f"{name}.yaml").read_text(encoding="utf-8")
        # the schema that its first line names for editors is not beside it here
        texts[f"config/studies/{name}.yaml"] = text.partition("\n")[2]
    if not study:
        texts["config/studies/first.yaml"] = FIRST
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)
    print(f"\nThen: cd {shlex.quote(str(folder))}; deeplimits plan; deeplimits run")


def run(context: typer.Context) -> None:
    """Run the workflow: simulate, compare and draw what is missing of all that is configured, or of TARGETS.

    TARGETS are studies, figures of them, or simulations, aggregates, figures, tables and claims. Options are
    those of Snakemake, such as -n, --cores 4, --config scale=deep, --workflow-profile slurm; all cores are
    taken without --cores.
    """
    from importlib.util import find_spec

    from deeplimits.store.commands import workflow_folder

    if find_spec("snakemake") is None:
        raise ModuleNotFoundError("No module named 'snakemake'", name="snakemake")
    words = list(context.args)
    if not any(word.split("=")[0] in ("--cores", "-c", "--jobs", "-j") for word in words):
        words = ["--cores", "all", *words]
    command = [sys.executable, "-m", "snakemake", "-s", str(workflow_folder() / "Snakefile"), *words]
    sys.stdout.flush()
    os.execv(sys.executable, command)  # noqa: S606  # the very process: what ends this one ends the run
