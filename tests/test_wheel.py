"""The verbs work from a wheel, in an environment that has only it and what it depends on, in an empty folder; a project
of one's own begins and runs there, with the numbers of a checkout.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tiny import STUDY, project, simulated

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = "from hatchling.build import build_wheel; print(build_wheel(__import__('sys').argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", build, folder], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return folder / made.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """A Python that has the wheel; what the wheel depends on is borrowed from the environment of the tests."""
    folder = wheel.parent
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    paths = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    with zipfile.ZipFile(wheel) as files:
        files.extractall(packages)
    # a folder named here has its own .pth files, of an editable install, left unread
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    program = environment / "bin/deeplimits"
    program.write_text(f"#!{environment}/bin/python\nfrom deeplimits.cli import main\nmain()\n")
    program.chmod(0o755)
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


def runs_a_project_as_a_checkout_does(python: Path, folder: Path) -> None:
    """Begin a project by name, run a study in it, and find the bytes of the same study of this checkout."""
    run(python, folder, "init", "own", "--study", "lnr22-figure-1")
    own = folder / "own"
    assert {path.stem for path in own.glob("config/studies/*")} == {"lnr22-figure-1", "template"}
    study = STUDY.replace("samples: 8192", "samples: 512")
    (own / "config/studies/tiny.yaml").write_text(study)
    run(python, own, "plan", "tiny")
    run(python, own, "run", "tiny", "--cores", "2", "--config", "studies=[tiny]")
    assert len([*own.glob("results/figures/tiny/*.png")]) == 3
    assert "matched" not in run(python, own, "show", "tiny")
    here = project(folder / "here", study)
    simulated(here)
    made = {path.name: path.read_bytes() for path in own.glob("results/batches/*.zarr.zip")}
    assert made
    assert made == {path.name: path.read_bytes() for path in here.results.glob("batches/*.zarr.zip")}
    again = subprocess.run(
        [python, "-m", "deeplimits", "init", "own"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert again.returncode == 2
    assert "expected a folder that is new or empty" in again.stderr


@pytest.mark.slow
def test_a_project_of_ones_own_from_a_wheel(installed: Path, tmp_path: Path) -> None:
    runs_a_project_as_a_checkout_does(installed, tmp_path)


@pytest.mark.slow
def test_what_an_extra_brings_is_named_where_it_is_missing(installed: Path, tmp_path: Path) -> None:
    """With packages of extras hidden, as in an environment that has none of them."""
    hidden = ("snakemake", "duckdb", "matplotlib", "zarr", "dask", "seaborn", "threadpoolctl")
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({hidden}))\n"
        "import deeplimits\n"
        "from deeplimits.extras import missing_package\n"
        f"print(*(missing_package(ModuleNotFoundError(name=each)) for each in {hidden}), sep='\\n')\n"
        "network = {'activation': {'name': 'relu'}, 'width': 48, 'depth': 2, 'inputs': {'correlation': 0.3}}\n"
        "law = deeplimits.limit(network, name='exact')\n"
        "drawn = 1 - deeplimits.simulate(network, 256).correlation_gap[:, -1, 0]\n"
        "assert law.distance(drawn) < 0.2\n"
        "network |= {'activation': {'name': 'tanh'}, 'inputs': {'gram': [[1.0]]}}\n"
        "assert deeplimits.limit(network, name='exact_variance', observable='variance').std > 0\n"
        "for ask in (lambda: law.plot(), lambda: deeplimits.query('SELECT 1', results='.')):\n"
        "    try:\n        ask()\n"
        "    except ModuleNotFoundError as error:\n        print(error)\n"
    )
    said = subprocess.run(
        [installed, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    extra = {"matplotlib": "figures", "seaborn": "figures"}
    assert said.stdout.splitlines() == [
        f"{name} is not installed: pip install 'deeplimits[{extra.get(name, 'workflow')}]'"
        for name in (*hidden, "matplotlib", "duckdb")
    ]


@pytest.mark.exhaustive
@pytest.mark.skipif(shutil.which("uv") is None, reason="needs uv, and an index of packages")
def test_core_and_extras_from_an_index(wheel: Path, tmp_path: Path) -> None:
    def environment(name: str, what: str) -> Path:
        python = tmp_path / name / "bin/python"
        subprocess.run(["uv", "venv", "-q", "--python", sys.executable, tmp_path / name], check=True)
        subprocess.run(["uv", "pip", "install", "-q", "--python", python, what], check=True)
        return python

    core = environment("core", str(wheel))
    network = ("--activation", "relu", "--width", "48", "--depth", "4", "--correlation", "0.3")
    assert json.loads(run(core, tmp_path, "limit", *network, "--simulate", "1024", "--json"))["limit"]
    listed = subprocess.run(
        ["uv", "pip", "list", "-q", "--python", core], capture_output=True, text=True, check=True
    ).stdout.splitlines()[2:]
    assert len(listed) <= 26  # with this one
    runs_a_project_as_a_checkout_does(environment("all", f"{wheel}[workflow,figures]"), tmp_path)
