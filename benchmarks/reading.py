"""Reading of large sweeps: queries of each table over 10⁵ points, and opening the samples of 10⁴ and 10⁵,
from a store and receipts that are made up: run this file.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import numpy as np
import xarray as xr

from deeplimits.analysis.assembly import coordinates_of
from deeplimits.analysis.reduce import LEVELS
from deeplimits.analysis.series import Series
from deeplimits.jobs.workflow import prepare
from deeplimits.store.study_writer import write_study
from deeplimits.sweep.config import DEFAULT_PATH
from deeplimits.sweep.study import Study
from measure import BIN, keep
from planning import measured, pretend, project

QUERIES = {
    "points": "SELECT width, count(*) FROM points GROUP BY width",
    "blocks": "SELECT engine, sum(count) FROM blocks GROUP BY engine",
    "moments": "SELECT * FROM moments LIMIT 10",
    "quantiles": "SELECT level, avg(quantile) FROM quantiles WHERE width = 64 GROUP BY level",
    "comparison": "SELECT width, avg(estimate) FROM comparison WHERE distance = 'ks' GROUP BY width",
}
OPEN = """
import deeplimits
samples = deeplimits.open_samples("large")
chosen = samples.rho.sel(width=64, correlation=0.3).isel(record=-1).mean("sample")
assert chosen.sizes["depth"] == 10
"""
PART = 1 << 12
"""Points that are written at once."""


def store(study: Study, results: Path) -> None:
    """A store of as many points as the study has, with made-up numbers."""
    count, generator = len(study.points), np.random.default_rng(1)
    labels = coordinates_of(study, Series.of_study(study))
    entries = {"limit": ("entry", ["matched_sde"]), "compared": ("entry", ["correlation"])}
    observables = {"observable": ["correlation", "log_variance"]}
    records = labels["layer"][1].shape[1]

    def group(names: list[str], sizes: dict[str, int], more: dict[str, object]) -> xr.Dataset:
        shape = (count, *sizes.values())
        arrays = {name: (("point", *sizes), generator.normal(size=shape)) for name in names}
        return xr.Dataset(arrays, labels | more)

    layers = {"record": records, "observable": 2}
    parts = ["value", "estimate", "low", "high", "error", "floor"]
    groups = {
        "moments": group(["count", "dead", "mean", "std"], layers, observables),
        "laws": group(["quantile"], layers | {"level": len(LEVELS)}, observables | {"level": list(LEVELS)}),
        "comparison": group(
            parts, {"entry": 1, "distance": 3}, entries | {"distance": ["ks", "wasserstein", "rms"]}
        ),
    }
    places = range(0, count, PART)
    write_study(
        study,
        results,
        (
            {name: held.isel(point=slice(first, first + PART)) for name, held in groups.items()}
            for first in places
        ),
    )


def reading(folder: Path, seeds: int) -> dict[str, float]:
    """All figures of one size."""
    project(folder, seeds)
    with chdir(folder):
        config, _ = prepare(DEFAULT_PATH)
        pretend(config.results)
        store(config.study("large"), config.results)
    figures = {}
    for table, sql in QUERIES.items():
        figures |= measured(f"query_{table}", [BIN / "deeplimits", "query", sql, "--csv"], folder)[0]
    return figures | measured("open_samples", [sys.executable, "-c", OPEN], folder)[0]


def main() -> None:
    bars = {f"query_{table}_seconds": 2 for table in QUERIES}
    with tempfile.TemporaryDirectory() as temporary:
        small = reading(Path(temporary) / "10000", 1)
        figures = reading(Path(temporary) / "100000", 10)
    figures |= {f"{name}_10000": value for name, value in small.items() if name.startswith("open")}
    for name, value in figures.items():
        print(f"{name}: {value:.4g}" + (f" (bar <= {bars[name]})" if name in bars else ""))
    keep("reading", figures)


if __name__ == "__main__":
    main()
