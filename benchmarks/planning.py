"""Planning of large sweeps: a plan, a dry run and a status of 10⁵ points, before anything is simulated and
after all of it, whose receipts are made up; and the jobs of 10⁴ points: run this file.
"""

from __future__ import annotations

import json
import re
import resource
import tempfile
from pathlib import Path

from deeplimits.store.paths import batches_folder, container_path, receipt_path
from deeplimits.store.receipts import read_todo, write_receipt
from measure import BIN, child, keep

ROOT = Path(__file__).parent.parent
STUDY = """
title: Exponent, width, depth, correlation and seed
networks:
  - activation: {{name: relu, c_plus: 0.0, c_minus: -1.0}}
    shaping: {{by: width, exponent: [{exponents}]}}
grid:
  width: [8, 12, 16, 24, 32, 48, 64, 96, 128, 192]
  depth: [4, 6, 8, 12, 16, 24, 32, 48, 64, 96]
  correlation: [{correlations}]
  seed: [{seeds}]
samples: 1024
record: {{layers: 3}}
compare: [{{observable: correlation, limit: matched_sde}}]
"""
JOBS = re.compile(r"^total +(\d+)$", re.MULTILINE)


def project(folder: Path, seeds: int) -> Path:
    """A project with one study, of 10⁴ points for each seed."""
    (folder / "config/studies").mkdir(parents=True)
    text = STUDY.format(
        exponents=", ".join(str((i + 1) / 10) for i in range(10)),
        correlations=", ".join(str(i / 10) for i in range(10)),
        seeds=", ".join(map(str, range(seeds))),
    )
    (folder / "config/studies/large.yaml").write_text(text)
    (folder / "config/config.yaml").write_text("studies: all\nclaims: none\n")
    for linked in ("Snakefile", "workflow", "profiles", "environment.yml"):
        (folder / linked).symlink_to(ROOT / linked)
    return folder


def pretend(results: Path) -> int:
    """Containers with nothing in them and the receipts that go with them, of every todo; how many."""
    todos = list(batches_folder(results).glob("*.todo.json"))
    for todo in todos:
        batch = todo.name.removesuffix(".todo.json")
        container = container_path(results, batch)
        container.write_bytes(b"nothing")
        provenance = {"engine": "cpu", "finished": "2026-01-01T00:00:00Z", "seconds": 1.0, "normals": 1}
        write_receipt(receipt_path(results, batch), container, "0" * 64, read_todo(todo), provenance)
    return len(todos)


def measured(name: str, command: list[str | Path], folder: Path) -> tuple[dict[str, float], str]:
    """Seconds, those of its processor, and memory of a command, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, megabytes, output = child(command, folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures = {f"{name}_seconds": seconds, f"{name}_cpu_seconds": spent, f"{name}_megabytes": megabytes}
    return figures, output


def planning(folder: Path, seeds: int) -> dict[str, float]:
    """All figures of one size."""
    project(folder, seeds)
    deeplimits, snakemake = BIN / "deeplimits", BIN / "snakemake"
    figures, output = measured("plan", [deeplimits, "plan", "--json"], folder)
    (row,) = json.loads(output)
    assert row["points"] == 10_000 * seeds
    found, output = measured("dry_run", [snakemake, "-n"], folder)
    jobs = JOBS.search(output)
    assert jobs is not None
    figures |= found | {"points": row["points"], "snakemake_jobs": int(jobs[1])}
    figures |= measured("status_of_nothing", [deeplimits, "status", "--json"], folder)[0]
    pretend(folder / "results")
    found, output = measured("status_of_all", [deeplimits, "status", "--json"], folder)
    (row,) = json.loads(output)
    assert row["blocks_done"] == row["blocks"] == 10_000 * seeds
    return figures | found | measured("dry_run_of_the_rest", [snakemake, "-n"], folder)[0]


def main() -> None:
    bars = {
        "plan_seconds": 10,
        "dry_run_seconds": 20,
        "snakemake_jobs": 1000,
        "status_of_all_seconds": 2,
        "jobs_of_10000_points": 200,
    }
    with tempfile.TemporaryDirectory() as temporary:
        figures = planning(Path(temporary) / "100000", 10)
        figures["jobs_of_10000_points"] = planning(Path(temporary) / "10000", 1)["snakemake_jobs"]
    for name, value in figures.items():
        print(f"{name}: {value:.4g}" + (f" (bar <= {bars[name]})" if name in bars else ""))
    keep("planning", figures)


if __name__ == "__main__":
    main()
