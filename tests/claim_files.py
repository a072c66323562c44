"""Claims about a small study, as files."""

from __future__ import annotations

from pathlib import Path

STUDY = """
title: Small
networks:
  - {architecture: mlp, activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}
  - {architecture: mlp, activation: {name: identity}}
grid: {width: [8, 12, 16], depth: {times_width: 1.0}, correlation: 0.3, seed: 0}
samples: 8192
record: {layers: 2}
compare:
  - {observable: correlation, limit: correlation_sde, rate_in: width}
  - {observable: correlation, limit: linear, rate_in: width}
  - {observable: correlation, limit: correlation_ode, distances: [rms]}
  - {observable: log_variance, limit: variance}
"""
CLAIM = """
  - id: X1.{id}
    statement: Something.
    source: eq. (1)
    study: {study}
    statistic: {statistic}
    margin: {margin}
    because: a test
"""


def claims_file(folder: Path, *claims: dict[str, object]) -> Path:
    """Write claims and return their folder."""
    (folder / "claims").mkdir(exist_ok=True)
    base = {"id": "a", "study": "tiny", "margin": 0.1}
    text = "paper: A paper\nclaims:" + "".join(CLAIM.format(**(base | claim)) for claim in claims)
    (folder / "claims" / "x.yaml").write_text(text)
    return folder / "claims"


KS = "{name: ks_to_limit, observable: correlation, limit: linear, where: {network: linear}}"
