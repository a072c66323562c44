"""Aggregation of many small points: what `deeplimits aggregate STUDY` takes, anew and where nothing is new,
on one core and on two: run this file. `python benchmarks/aggregation.py 10` takes ten times the points.

A thousand points, ten of each exponent, width and depth, with 1,024 samples, three recorded layers and one
comparison with a law that is solved for each. They are simulated into a temporary folder first.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from deeplimits.jobs.simulate import simulate_batch
from deeplimits.store.catalogue import Catalogue
from deeplimits.store.paths import container_path, receipt_path, study_digest
from deeplimits.sweep.config import load_config
from deeplimits.sweep.plan import make_plan
from measure import BIN, child, keep

STUDY = """
title: Phase diagram over exponent, width, depth and correlation
networks:
  - activation: {{name: relu, c_plus: 0.0, c_minus: -1.0}}
    shaping: {{by: width, exponent: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]}}
grid:
  width: [8, 12, 16, 24, 32, 48, 64, 96, 128, 192]
  depth: [4, 8, 16, 32, 64]
  correlation: [{correlations}]
samples: 1024
record: {{layers: 3}}
compare: [{{observable: correlation, limit: matched_sde}}]
"""
ROUNDS = 3


def project(folder: Path, name: str, correlations: int) -> Path:
    """A project, to which a study is added; its configuration."""
    (folder / "studies").mkdir(parents=True, exist_ok=True)
    values = ", ".join(str(i / correlations) for i in range(correlations))
    (folder / "studies" / f"{name}.yaml").write_text(STUDY.format(correlations=values))
    (folder / "config.yaml").write_text(f"results: {folder / 'results'}\nclaims: none\n")
    return folder / "config.yaml"


def simulated(path: Path) -> float:
    """Seconds in which every block of the studies was simulated."""
    config = load_config(path)
    start = time.perf_counter()
    for batch in make_plan(config.studies(), Catalogue(config.results).held, 300.0).batches:
        container, receipt = (place(config.results, batch.name) for place in (container_path, receipt_path))
        simulate_batch(list(batch.blocks), container, receipt)
    return time.perf_counter() - start


def aggregated(path: Path, study: str, cores: int, fresh: bool = True) -> dict[str, float]:
    """Wall and core seconds and peak megabytes of an aggregation, without those of processes that it starts;
    anew unless something may be kept.
    """
    if fresh:
        study_digest(load_config(path).results, study).unlink(missing_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [BIN / "deeplimits", "aggregate", study, "--cores", str(cores), "--config", path]
    seconds, megabytes, said = child(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(said.strip(), flush=True)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "core_seconds": used, "megabytes": megabytes}


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


if __name__ == "__main__":
    factor = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as temporary:
        path = project(Path(temporary), "phase", 2 * factor)
        simulation = simulated(path)
        one, two = [], []
        for _ in range(ROUNDS):
            one.append(aggregated(path, "phase", 1))
            two.append(aggregated(path, "phase", 2))
        again = medians([aggregated(path, "phase", 1, fresh=False) for _ in range(ROUNDS)])
    alone, both = medians(one), medians(two)
    speed_up = statistics.median(a["seconds"] / b["seconds"] for a, b in zip(one, two, strict=True))
    figures = {"points": 1000 * factor, "simulation_seconds": simulation, "speed_up": speed_up}
    figures |= {f"one_core_{name}": value for name, value in alone.items()}
    figures |= {f"two_cores_{name}": both[name] for name in ("seconds", "megabytes")}
    figures |= {f"nothing_new_{name}": value for name, value in again.items()}
    print(
        f"{1000 * factor} points: {alone['core_seconds']:.3g} core-seconds (bar <= {8 * factor}), "
        f"{speed_up:.3g} times faster on two cores, {alone['megabytes']:.0f} MB; "
        f"nothing new: {again['core_seconds']:.3g} core-seconds; simulated in {simulation:.3g} s"
    )
    keep("aggregation" if factor == 1 else f"aggregation_{factor}", figures)
