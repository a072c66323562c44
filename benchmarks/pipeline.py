"""The pipeline's own price: start-up of each verb, planning, a dry run, and what Snakemake adds to a job: run
this file.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

from measure import BIN, child, keep, timed

ROOT = Path(__file__).parent.parent
POINT = "activation: {name: relu}\nwidth: 8\ndepth: 4\ninputs: {correlation: 0.3}\n"
LARGE = """
title: A hundred thousand points
networks:
  - activation: {{name: relu, c_plus: [{slopes}], c_minus: -1.0}}
    shaping: {{by: width, exponent: 0.5}}
grid:
  width: [32, 48, 64, 96, 128]
  depth: {{times_width: 1.0}}
  correlation: [{correlations}]
  seed: [{seeds}]
samples: 8192
compare: [{{observable: correlation, limit: correlation_sde}}]
"""
SMALL = """
title: Small points
networks: [{{activation: {{name: relu, c_plus: 0.0, c_minus: -1.0}}, shaping: {{by: width, exponent: 0.5}}}}]
grid: {{width: [48, 64], depth: {{times_width: 1.0}}, correlation: 0.3, seed: [{seeds}]}}
samples: 8192
record: {{layers: 3}}
compare: [{{observable: correlation, limit: correlation_sde, rate_in: width}}]
figures: [ks_against_width]
"""
CLAIM = """
paper: A paper
claims:
  - id: A1.thm1
    statement: The correlation of a shaped network tends to its SDE.
    source: Theorem 1
    study: small
    statistic: {name: ks_to_limit, observable: correlation, limit: correlation_sde, where: {width: 64}}
    margin: 0.1
    because: it is there to be read
"""
VERBS = {
    "simulate": ["simulate", "point.yaml", "--out", "x.zarr.zip", "--samples", "0:10"],
    "limit": ["limit", "point.yaml"],
    "plan": ["plan"],
    "status": ["status"],
    "aggregate": ["aggregate", "small"],
    "figure": ["figure", "small/ks_against_width"],
    "show": ["show", "small"],
    "claims": ["claims"],
    "query": ["query", "SELECT count(*) FROM points"],
    "verify": ["verify"],
}


def project(folder: Path, name: str, text: str, target_minutes: float = 0.5) -> Path:
    """A project with one study."""
    (folder / "config/studies").mkdir(parents=True)
    (folder / f"config/studies/{name}.yaml").write_text(text)
    (folder / "config/config.yaml").write_text(f"studies: all\ntarget_minutes: {target_minutes:.9f}\n")
    (folder / "point.yaml").write_text(POINT)
    (folder / "claims").mkdir()
    if name == "small":
        (folder / "claims/small.yaml").write_text(CLAIM)
    for linked in ("Snakefile", "workflow", "environment.yml"):
        (folder / linked).symlink_to(ROOT / linked)
    return folder


def large_study() -> tuple[str, int]:
    """A study of 10⁵ points, and their number."""
    slopes, correlations, seeds = range(20), range(50), range(20)
    text = LARGE.format(
        slopes=", ".join(str(i / 10) for i in slopes),
        correlations=", ".join(str(i / 64) for i in correlations),
        seeds=", ".join(map(str, seeds)),
    )
    return text, len(slopes) * len(correlations) * len(seeds) * 5


def planning(folder: Path) -> dict[str, float]:
    """A plan and a dry run of the large study."""
    text, points = large_study()
    project(folder, "large", text)
    seconds, memory, output = child([BIN / "deeplimits", "plan", "--json"], folder)
    (row,) = json.loads(output)
    assert row["points"] == points
    figures = {"points": points, "plan_seconds": seconds, "plan_megabytes": memory, "plan_jobs": row["jobs"]}
    seconds, memory, output = child([BIN / "snakemake", "-n"], folder)
    found = re.search(r"^simulate +(\d+)$", output, re.MULTILINE)
    figures |= {"dry_run_seconds": seconds, "dry_run_megabytes": memory}
    return figures | {"dry_run_simulate_jobs": int(found[1]) if found else -1}


def verbs(folder: Path) -> dict[str, float]:
    """Wall seconds of every verb on a project with next to nothing in it; medians."""
    figures = {}
    for verb, arguments in VERBS.items():
        command = [BIN / "deeplimits", *arguments]

        def run(command: list[str | Path] = command) -> None:
            subprocess.run(command, cwd=folder, check=True, capture_output=True)

        times = [timed(run) for _ in range(10 if verb == "simulate" else 4)]
        figures[f"verb_{verb}_seconds"] = statistics.median(times[1:])
    return figures


def workflow(folder: Path) -> dict[str, float]:
    """What Snakemake adds to a job, from workflows of few and of many; and a workflow with nothing to do."""
    jobs, seconds = {}, {}
    for seeds in (8, 120):
        text = SMALL.format(seeds=", ".join(map(str, range(seeds))))
        home = project(folder / str(seeds), "small", text, 1e-6)
        command = [BIN / "snakemake", "--cores", "1", "--quiet", "all", "--until", "simulate"]
        whole = child(command, home)[0]
        receipts = [json.loads(path.read_text()) for path in home.glob("results/batches/*[0-9a-f].json")]
        receipts = [receipt for receipt in receipts if "provenance" in receipt]
        jobs[seeds] = len(receipts)
        seconds[seeds] = whole - sum(receipt["provenance"]["seconds"] for receipt in receipts)
    job = (seconds[120] - seconds[8]) / (jobs[120] - jobs[8])
    everything = [BIN / "snakemake", "--cores", "1", "--quiet", "all"]
    child(everything, folder / "8")
    again = child(everything, folder / "8")[0]
    return {
        "workflow_jobs": jobs[120],
        "workflow_job_beyond_its_samples_seconds": job,
        "workflow_with_nothing_to_do_seconds": again,
    }


def main() -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        figures = planning(folder / "large") | workflow(folder) | verbs(folder / "8")
    bars = {
        "verb_simulate_seconds": 1.2,
        "plan_seconds": 20,
        "plan_megabytes": 1000,
        "plan_jobs": 1000,
        "dry_run_seconds": 30,
    }
    for name, value in figures.items():
        print(f"{name}: {value:.4g}" + (f" (bar <= {bars[name]})" if name in bars else ""))
    keep("pipeline", figures)


if __name__ == "__main__":
    main()
