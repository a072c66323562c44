"""Snakemake as a user calls it, in a folder with one small study, and what it printed and left."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


BIN = Path(sys.executable).parent


NOTHING = "Nothing to be done"


STUDY = """\
title: Small
networks: [{activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}]
grid: {width: [8, 12, 16], depth: {times_width: 1.0}, correlation: 0.3}
samples: 4096
record: {layers: 2}
compare: [{observable: correlation, limit: correlation_sde, at: 1.0, rate_in: width}]
figures: [ks_against_width]
"""


def snakemake(folder, *arguments):
    """Run the workflow in ``folder``, found as Snakemake finds it there; the environment is not activated."""
    for name in ("Snakefile", "profiles", "workflow", "environment.yml"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return command(folder, *arguments)


def command(folder, *arguments):
    """Run Snakemake as it is called."""
    return subprocess.run(
        [BIN / "snakemake", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def output(run):
    return run.stdout + run.stderr


def jobs(run):
    """Jobs of a dry run by rule, from the table that Snakemake prints."""
    table = output(run).partition("Job stats:")[2].partition("total")[0]
    return {name: int(count) for name, count in re.findall(r"^(\S+) +(\d+)$", table, re.MULTILINE)}


CLAIMS = """\
paper: A paper
claims:
  - id: X1.a
    statement: Something.
    source: eq. (1)
    study: small
    statistic: {name: ks_to_limit, observable: correlation, limit: correlation_sde}
    margin: 0.2
    because: a test
"""


def digests(folder):
    """All results but what tells the time: containers, study stores and figures."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "results").rglob("*"))
        if path.suffix in (".zip", ".pdf", ".svg", ".png")
    }
