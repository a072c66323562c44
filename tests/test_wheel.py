"""The verbs that need no checkout work from a wheel, in an environment that has only it and what it depends on, in an empty
folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A Python that has the wheel; what the wheel depends on is borrowed from the environment of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "from hatchling.build import build_wheel; print(build_wheel(__import__('sys').argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", build, folder], cwd=ROOT, capture_output=True, text=True, check=True
    )
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    paths = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    with zipfile.ZipFile(folder / made.stdout.split()[-1]) as wheel:
        wheel.extractall(packages)
    # a folder named here has its own .pth files, of an editable install, left unread
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin/python"


def run(python: Path, folder: Path, *arguments: str) -> str:
    outside = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DEEPLIMITS"))
    }
    done = subprocess.run(
        [python, "-m", "deeplimits", *arguments],
        cwd=folder,
        env=outside,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.slow
def test_verbs_from_a_wheel_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [installed, "-c", "import deeplimits; print(deeplimits.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(installed.parent.parent)
    network = ("--activation", "tanh", "--width", "30", "--depth", "12", "--correlation", "0.3")
    answer = json.loads(run(installed, tmp_path, "limit", *network, "--simulate", "1024", "--json"))
    assert 0 < answer["mean"] < 1
    point = "activation: {name: relu}\nwidth: 16\ndepth: 8\ninputs: {correlation: 0.3}\nrecord: {layers: 2}\n"
    (tmp_path / "point.yaml").write_text(point)
    run(installed, tmp_path, "simulate", "point.yaml", "--samples", "0:64", "--out", "results/one.zarr.zip")
    assert zipfile.is_zipfile(tmp_path / "results/one.zarr.zip")
    count = run(installed, tmp_path, "query", "--results", "results", "SELECT count(*) AS blocks FROM blocks")
    assert "blocks" in count
    run(installed, tmp_path, "verify", "--results", "results")
    run(installed, tmp_path, "--version")
