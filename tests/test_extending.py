"""What another package adds by entry points is found wherever names are, without a change here; what is broken
there is a message that names the package and the entry point. Each in a process of its own: what a package
offers is looked up once.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deeplimits.activations import Identity, ReluLike, Smooth
from deeplimits.analysis.kept import keys_of
from deeplimits.analysis.point import Reduction
from deeplimits.architectures import architecture, architectures
from deeplimits.discovery import sources_of
from deeplimits.limits import registry
from deeplimits.networks.network import Network, Shaping
from deeplimits.observables import OBSERVABLES
from deeplimits.store import kept_laws
from deeplimits.sweep.models import CompareModel
from foreign_package import entry_points, files, install

ENVIRONMENT = {**os.environ}
STUDY_OF_ANOTHER = """
title: Of another package
networks: [{architecture: biased_mlp, activation: {name: relu}}]
grid: {width: 4, depth: 2, correlation: 0.3}
samples: 8
record: {layers: 2}
compare: [{observable: correlation, limit: infinite_width}]
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line where the folder's packages are installed."""
    environment = ENVIRONMENT | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "deeplimits", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    install(folder, entry_points())
    return folder


@pytest.mark.slow
def test_a_limit_of_another_package_is_named_refused_and_listed(installed: Path) -> None:
    network = ["--activation", "relu", "--width", "40", "--depth", "20", "--correlation", "0.3"]
    asked = [*network, "--observable", "log_variance", "--limit", "first_order_variance", "--json"]
    done = run(installed, "limit", *asked)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["mean"] == 0 and answer["std"] == pytest.approx((5 / 2) ** 0.5)
    assert answer["error"] == 1
    shaped = run(installed, "limit", *asked, "--shaping", "width:0.5")
    other = [word.replace("log_variance", "correlation") for word in asked]
    refused = run(installed, "limit", *other)
    assert refused.returncode == 2 and "first_order_variance speaks of: log_variance" in refused.stderr
    unknown = run(installed, "limit", *network, "--limit", "first_order_varianze")
    assert "did you mean 'first_order_variance'?" in unknown.stderr
    assert "networks with no shaping (p = 0), and this one has p = 0.5" in shaped.stderr


@pytest.mark.slow
def test_an_architecture_of_another_package_is_drawn_and_refused_by_default(installed: Path) -> None:
    """By its oracle: the same bits for any split; infinite width is the only limit that is for it."""
    asked = ["--architecture", "biased_mlp", "--activation", "relu", "--correlation", "0.3", "--depth", "4"]
    answer = run(installed, "limit", *asked, "--width", "200", "--limit", "infinite_width", "--json")
    assert answer.returncode == 0, answer.stderr
    shown = run(
        installed,
        *("limit", *asked, "--width", "200", "--limit", "infinite_width", "--json", "--simulate", "400"),
    )
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert found["simulated"]["mean"] == pytest.approx(json.loads(answer.stdout)["mean"], abs=0.02)
    refused = run(installed, "limit", *asked, "--width", "200", "--limit", "exact")
    assert refused.returncode == 2 and "the architecture biased_mlp" in refused.stderr
    large = run(installed, "limit", *asked, "--width", "3000", "--simulate", "10")
    assert large.returncode == 2 and "at most 4,194,304 of a perceptron with biases" in large.stderr
    code = (
        "import numpy as np; from deeplimits.engines import simulate_block as s;"
        "from deeplimits.networks.network import Network; from deeplimits.activations import ReluLike;"
        "n = Network(ReluLike(), 12, 4, ((1.0, 0.3), (0.3, 1.0)), architecture='biased_mlp');"
        "assert n.canonical_form()['sampler'].startswith('explicit-weights-1 of ');"
        "a = s(n, [0, 4], 0, 30, threads=1); b = [s(n, [0, 4], k, 10, threads=3) for k in (0, 10, 20)];"
        "assert all(v.tobytes() == np.concatenate([e[k] for e in b]).tobytes() for k, v in a.items())"
    )
    environment = ENVIRONMENT | {"PYTHONPATH": str(installed)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@pytest.mark.slow
def test_an_activation_of_another_package_is_its_formula(installed: Path) -> None:
    sizes = [
        "--width",
        "40",
        "--depth",
        "20",
        "--shaping",
        "width:0.5",
        "--observable",
        "log_variance",
        "--json",
        "--correlation",
        "0.3",
    ]
    named = run(installed, "limit", "--activation", "half_swish", *sizes)
    written = run(
        installed,
        *("limit", "--activation", "expression", "--expression", "x / (1 + exp(-x / 2))"),
        *("--centered", "true", *sizes),
    )
    assert named.returncode == 0, named.stderr
    assert named.stdout == written.stdout
    assert "half_swish" in run(installed, "limit", "--activation", "half_swich", *sizes).stderr


def test_what_is_kept_of_another_package_is_known_by_all_that_it_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far, and by nothing else of the package: a figure changes no law."""
    package = tmp_path / "foreign_sources"
    files = {
        "__init__": "import numpy",
        "deep/__init__": "",
        "deep/law": "from ..far import near\nfrom foreign_sources import other",
        "far/__init__": "",
        "far/near": "def helper():\n    import foreign_sources.last",
        "other": "name = 1",
        "last": "",
        "figure": "",
    }
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = sources_of.__wrapped__("foreign_sources.deep.law")
    for name, text in files.items():
        (package / f"{name}.py").write_text(f"{text}\n# changed")
        changed = sources_of.__wrapped__("foreign_sources.deep.law") != before
        assert changed == (name != "figure"), name
        (package / f"{name}.py").write_text(text)
    assert sources_of.__wrapped__("foreign_sources.deep.law") == before
    assert sources_of("deeplimits.limits.exact") is None


def test_rows_and_laws_that_are_kept_know_what_other_packages_make_them_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = CompareModel(observable="correlation", limit="markov_chain")
    asked = Reduction(1, (entry,), ("correlation",), (), (), 1, 1, Path("study"))
    network = Network(ReluLike(), 8, 2, ((1.0, 0.3), (0.3, 1.0)))

    def found() -> tuple[Any, Any]:
        return keys_of(asked, [[]]), kept_laws._key("markov_chain", network, [2], "correlation")

    ways = [found()]
    for registered in (registry(), OBSERVABLES):
        with monkeypatch.context() as changed:
            changed.setattr(registered, "made_by", lambda name: f"another's {name}", raising=False)
            ways.append(found())
    (row, law), *others = ways
    assert all(other[0] != row and other[1] != law for other in others)


@pytest.mark.slow
def test_results_of_an_architecture_that_has_changed_or_gone(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it drew is taken for nothing else, and nothing ends but in a sentence."""
    for name, content in {"studies/biased": STUDY_OF_ANOTHER, "config": "studies: all\n"}.items():
        path = tmp_path / "config" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    shutil.copytree(installed / "more_limits", tmp_path / "more_limits")
    shutil.copytree(next(installed.glob("*.dist-info")), tmp_path / "more.dist-info")
    code = (
        "from pathlib import Path; from deeplimits.sweep.config import load_config; from tiny import simulated;"
        "simulated(load_config(Path('config/config.yaml')))"
    )
    path = f"{tmp_path}{os.pathsep}{Path(__file__).parent}"
    environment = ENVIRONMENT | {"PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True)
    assert run(tmp_path, "aggregate", "biased").returncode == 0
    assert ", aggregated, up to date" in run(tmp_path, "status").stdout
    for name in ("angle", "biased"):
        with (tmp_path / "more_limits" / f"{name}.py").open("a") as file:
            file.write("# changed\n")
    stale = run(tmp_path, "status").stdout
    assert "stale (made_with.architecture biased_mlp: " in stale and "made_with.observable angle: " in stale
    refused = run(tmp_path, "aggregate", "biased")
    assert refused.returncode == 2 and "are not there yet" in refused.stderr
    assert run(tmp_path, "verify", "--recompute", "1").returncode in (0, 1)
    # gone with its package
    for each in ("more_limits", "more.dist-info"):
        shutil.rmtree(tmp_path / each)
    (container,) = (tmp_path / "results" / "batches").glob("*.zip")
    content = bytearray(container.read_bytes())
    content[len(content) // 2] ^= 1
    container.write_bytes(content)
    (todo,) = (tmp_path / "results" / "batches").glob("*.todo.json")
    said = [
        run(tmp_path, *verb)
        for verb in (["verify", "--recompute", "1"], ["status"], ["repair"], ["simulate", str(todo)])
    ]
    assert not any("Traceback" in done.stderr for done in said)
    assert re.search("not made again: batch .* found 'biased_mlp', expected one of", said[2].stderr)
    assert "no architecture is called 'biased_mlp'" in said[3].stderr


@pytest.mark.slow
def test_a_study_with_an_observable_and_a_figure_of_another_package(installed: Path) -> None:
    studies = installed / "config" / "studies"
    studies.mkdir(parents=True)
    (studies / "angles.yaml").write_text(files()["angles.yaml"], encoding="utf-8")
    (installed / "config" / "config.yaml").write_text(f"studies: all\nresults: {installed / 'results'}\n")
    code = (
        "from pathlib import Path; from deeplimits.sweep.config import load_config; from tiny import simulated;"
        "config = load_config(Path('config/config.yaml')); simulated(config)"
    )
    path = f"{installed}{os.pathsep}{Path(__file__).parent}"
    environment = ENVIRONMENT | {"PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=installed, check=True)
    for verb in (["aggregate", "angles"], ["figure", "angles/spread_of_angles"]):
        done = run(installed, *verb)
        assert done.returncode == 0, done.stderr
    assert (installed / "results" / "figures" / "angles" / "spread_of_angles.svg").is_file()
    shown = run(installed, "query", "SELECT DISTINCT observable FROM moments", "--format", "csv")
    assert "angle" in shown.stdout.split()


@pytest.mark.parametrize(
    ("group", "name", "value", "message"),
    [
        ("limits", "gone", "more_limits.gone:Gone", "found 'more_limits.gone:Gone', expected something that"),
        ("limits", "angle", "more_limits.angle:ANGLE", "a class made from deeplimits.limits.base.Limit"),
        ("limits", "other", "more_limits.variance:FirstOrderVariance", "not first_order_variance"),
        ("limits", "variance", "more_limits.variance:FirstOrderVariance", "deeplimits has one"),
        ("observables", "bad", "more_limits.activations:HALF_SWISH", "a deeplimits.observable_kind.Kind"),
        ("activations", "angle", "more_limits.angle:ANGLE", "a formula in x, as text"),
        ("figures", "angle", "more_limits.angle", "a module with CAPTION, NEEDS"),
        ("architectures", "angle", "more_limits.angle:ANGLE", "an Architecture"),
    ],
)
def test_what_is_broken_in_another_package_is_told(
    tmp_path: Path, group: str, name: str, value: str, message: str
) -> None:
    """Where it is asked for by name, and in no other case but that of a name that is taken."""
    install(tmp_path, {f"deeplimits.{group}": {name: value}}, "broken-limits")
    code = {
        "limits": f"from deeplimits.limits import registry; registry()['{name}'], list(registry())",
        "observables": f"from deeplimits.observables import parse; parse('{name}').record",
        "activations": f"from deeplimits.sweep.named_formulas import named_formulas as n; n()['{name}']",
        "architectures": f"from deeplimits.architectures import architectures as a; a()['{name}']",
        "figures": f"from deeplimits.figures import figures; figures()['{name}']",
    }[group]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=ENVIRONMENT | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert f"entry point deeplimits.{group} of broken-limits: {name}: " in last and message in last


def test_a_job_looks_for_no_other_package(installed: Path) -> None:
    """What a simulation job imports asks for no entry point: its start does not grow with what is installed."""
    code = (
        "import importlib.metadata as metadata, deeplimits.jobs.simulate, deeplimits.observables as o\n"
        "def refuse(**asked): raise AssertionError(asked)\n"
        "metadata.entry_points = refuse\n"
        "o.parse('correlation_0_2'); o.OBSERVABLES['variance']; 'covariance' in o.OBSERVABLES\n"
    )
    subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT | {"PYTHONPATH": str(installed)}, check=True)


@pytest.mark.parametrize("like", ["mlp", "resnet"])
def test_an_architecture_that_no_limit_knows_is_refused_by_each(like: str, monkeypatch) -> None:
    """Also where it is like one that they know in all but its name: none takes it for that one."""
    known = type(architecture(like))
    other = type("Other", (known,), {"name": "other", "infinite_width": False})()
    monkeypatch.setitem(architectures().own, "other", other)
    shapings = [None] if like == "resnet" else [None, Shaping("width", 0.5), Shaping("depth", 0.25)]
    for phi in (
        ReluLike(),
        ReluLike(0.5, -0.5),
        Identity(),
        Smooth.of("tanh"),
        Smooth.of("softplus", 1.0, 0.5),
    ):
        for shaping in shapings:
            for gram in (((1.0,),), ((1.0, 0.3), (0.3, 1.0))):
                network = Network(phi, 24, 12, gram, shaping=shaping, architecture="other")
                for name, limit in registry().items():
                    assert not limit.applies(network), name
                    assert "the architecture other" in str(limit.refusal(network)), name
    # the test asks what it says it does
    assert any(limit.applies(replace(network, architecture=like)) for limit in registry().values())
