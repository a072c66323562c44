"""A small folder of results with every kind of file, damage to it, and what readers say of it."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import dask.array  # noqa: F401 - verbs that are called in this process leave it out where it is not loaded yet
import numpy as np
import pytest

from deeplimits.cli import app
from deeplimits.jobs.workflow import prepare
from deeplimits.sweep.config import Config

STUDY = """
title: {title}
networks: [{{activation: {{name: relu, c_plus: 0.5, c_minus: -0.5}}, shaping: {{by: width, exponent: 0.5}}}}]
grid: {{width: {widths}, depth: 3, correlation: 0.3, seed: 0}}
samples: 256
record: {{layers: 2}}
compare: [{{observable: log_variance, limit: variance}}]
figures: [law_against_limit]
"""
CLAIMS = """
paper: A paper
claims:
  - {id: X1.a, statement: Something., source: eq. (1), study: one, margin: 0.5, because: a test,
     statistic: {name: ks_to_limit, observable: log_variance, limit: variance}}
"""
FIGURE = "law_against_limit"
BATCHES = ("baa12836856ea349", "840e9396cd6255a1")
KINDS = {
    **{
        f"{kind} of a {of}": [f"{folder}/{name}{suffix}" for name in names]
        for of, folder, names in (("batch", "batches", BATCHES), ("study", "studies", ("one", "two")))
        for kind, suffix in (("receipt", ".json"), ("store", ".zarr.zip"), ("todo", ".todo.json"))
    },
    "digest of a study": ["studies/one.sha256", "studies/two.sha256"],
    **{
        f"figure {suffix}": [f"figures/{study}/{FIGURE}.{suffix}" for study in ("one", "two")]
        for suffix in ("pdf", "svg", "png", "sha256")
    },
    **{f"claims {suffix}": [f"claims.{suffix}"] for suffix in ("json", "html", "sha256")},
}
"""Files of every kind, below the folder of results."""


def deeplimits(*arguments: str) -> None:
    """A verb, in this process."""
    app(list(arguments), standalone_mode=False)


def write_project(folder: Path) -> None:
    """Configuration, two studies that share blocks, and a claim."""
    (folder / "config/studies").mkdir(parents=True)
    (folder / "claims").mkdir()
    (folder / "config/config.yaml").write_text("studies: all\n")
    (folder / "config/studies/one.yaml").write_text(STUDY.format(title="One", widths=[3, 4]))
    (folder / "config/studies/two.yaml").write_text(STUDY.format(title="Two", widths=[4, 5]))
    (folder / "claims/paper.yaml").write_text(CLAIMS)


def run(studies: list[str]) -> Config:
    """What the workflow does in the working folder: plan, and make what is not there."""
    config, targets = prepare(Path("config/config.yaml"), {"studies": studies})
    for batch in sorted({batch for target in targets.values() for batch in target.messages}):
        deeplimits("simulate", f"results/batches/{batch}.todo.json")
    for study, target in targets.items():
        if not Path(target.aggregate).exists():
            deeplimits("aggregate", study, "--cores", "1")
        for figure, files in target.figures.items():
            if not all(map(Path.exists, map(Path, files))):
                deeplimits("figure", f"{study}/{figure}")
    if not all(Path(f"results/claims.{kind}").exists() for kind in ("json", "html", "sha256")):
        deeplimits("claims", "--out", "results/claims.json", "--page", "results/claims.html")
    return config


def build(folder: Path) -> None:
    """The project with its results, in two batches."""
    write_project(folder)
    with chdir(folder):
        prepare(Path("config/config.yaml"), {"studies": ["one"]})
        deeplimits("simulate", f"results/batches/{BATCHES[0]}.todo.json")
        run(["one", "two"])


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, made once for all workers; nobody changes it."""
    shared = tmp_path_factory.getbasetemp()
    if "popen" in shared.name:  # one of several workers
        shared = shared.parent
    folder = shared / "results-tree"
    with (shared / "results-tree.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            build(shared / "results-tree.new")
            (shared / "results-tree.new").rename(folder)
    return folder


@pytest.fixture
def here(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and the working folder."""
    shutil.copytree(tree, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of results, without logs."""
    found = {}
    for path in sorted((folder / "results").rglob("*")):
        if path.is_file():
            name = path.relative_to(folder / "results").as_posix()
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def flip(path: Path, chance: np.random.Generator) -> None:
    """One bit, anywhere."""
    content = bytearray(path.read_bytes())
    content[chance.integers(len(content))] ^= 1 << chance.integers(8)
    path.write_bytes(content)


def truncate(path: Path, chance: np.random.Generator) -> None:
    """Cut short, to nothing at the worst."""
    content = path.read_bytes()
    path.write_bytes(content[: chance.integers(len(content))])


def delete(path: Path, _chance: np.random.Generator) -> None:
    """Gone."""
    path.unlink()


DAMAGE: dict[str, Callable[[Path, np.random.Generator], None]] = {
    "flip": flip,
    "truncate": truncate,
    "delete": delete,
}
