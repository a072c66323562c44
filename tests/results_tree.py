"""A small folder of results with every kind of file: two studies that share a batch, figures, verdicts."""

from __future__ import annotations

import sys
from contextlib import chdir
from pathlib import Path

from deeplimits.cli import app
from deeplimits.store.workflow import prepare
from deeplimits.sweep.config import Config

STUDY = """
title: {title}
networks: [{{activation: {{name: relu, c_plus: 0.5, c_minus: -0.5}}, shaping: {{by: width, exponent: 0.5}}}}]
grid: {{width: {widths}, depth: 3, correlation: 0.3, seed: 0}}
samples: 256
record: {{layers: 2}}
compare: [{{observable: correlation, limit: matched_sde, rate_in: width}}]
figures: [ks_against_width]
"""
CLAIMS = """
paper: A paper
claims:
  - {id: X1.a, statement: Something., source: eq. (1), study: one, margin: 0.5, because: a test,
     statistic: {name: ks_to_limit, observable: correlation, limit: matched_sde}}
"""


def deeplimits(*arguments: str) -> None:
    """A verb, in this process."""
    app(list(arguments), standalone_mode=False)


def write_project(folder: Path) -> None:
    """Configuration, two studies and a claim."""
    (folder / "config/studies").mkdir(parents=True)
    (folder / "claims").mkdir()
    (folder / "config/config.yaml").write_text("studies: all\ntarget_minutes: 0.0001\n")
    (folder / "config/studies/one.yaml").write_text(STUDY.format(title="One", widths=[3, 4]))
    (folder / "config/studies/two.yaml").write_text(STUDY.format(title="Two", widths=[4, 5]))
    (folder / "claims/paper.yaml").write_text(CLAIMS)


def build(folder: Path) -> Config:
    """The project with its results, step by step as the workflow makes them."""
    write_project(folder)
    with chdir(folder):
        for studies in (["one"], ["one", "two"]):
            config, targets = prepare(Path("config/config.yaml"), {"studies": studies})
            for batch in sorted({batch for target in targets.values() for batch in target.messages}):
                deeplimits("simulate", f"results/batches/{batch}.todo.json")
        for study in targets:
            deeplimits("aggregate", study, "--cores", "1")
            deeplimits("figure", f"{study}/ks_against_width")
        deeplimits(
            *("claims", "--out", "results/claims.json", "--page", "results/claims.html"),
            *("--figure", "results/claims.png"),
        )
    return config


if __name__ == "__main__":
    build(Path(sys.argv[1]))
