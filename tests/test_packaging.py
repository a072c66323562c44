"""The files that say what this package is and needs agree with each other, and name nobody's machine."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-cuda12.lock", "requirements-cuda13.lock")
SUPPORTED = ("3.11", "3.12", "3.13")

EXTRAS = PROJECT["project"]["optional-dependencies"]
# What `make setup` and conda install: all but what a cluster, an object storage or a card asks for.
WHOLE = [*PROJECT["project"]["dependencies"], *EXTRAS["workflow"], *EXTRAS["figures"]]
# The one package that conda-forge keeps under another name.
CONDA_NAMES = {"python-duckdb": "duckdb"}


def requirements(entries: list[str]) -> dict[str, SpecifierSet]:
    """Packages and their bounds, without extras of this package."""
    named = [r for r in map(Requirement, entries) if r.name != "deeplimits"]
    return {canonicalize_name(r.name): r.specifier for r in named}


def locked(name: str) -> dict[str, tuple[str, str | None, int]]:
    """Package → version, marker, number of hashes."""
    packages = {}
    for entry in re.split(r"\n(?=[A-Za-z0-9])", (ROOT / name).read_text().partition("make lock\n")[2]):
        match = re.match(r"([A-Za-z0-9._-]+)==(\S+)(?: ; ([^\\]+?))? \\\n", entry)
        assert match, entry.splitlines()[0]
        packages[canonicalize_name(match[1])] = (match[2], match[3], entry.count("--hash=sha256:"))
    return packages


def test_conda_environment_names_the_packages_and_bounds_of_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda, pip = {}, []
    for entry in environment["dependencies"]:
        if isinstance(entry, dict):
            pip += entry["pip"]
            continue
        name, _, bounds = entry.partition(" ")
        conda[canonicalize_name(CONDA_NAMES.get(name, name))] = SpecifierSet(bounds)
    assert conda.pop("python") == SpecifierSet(PROJECT["project"]["requires-python"])
    assert conda.pop("pip") == SpecifierSet()
    assert conda == requirements(WHOLE)
    assert pip == ["--editable ."]


def test_conda_recipe_splits_packages_as_the_extras_do():
    recipe = yaml.safe_load((ROOT / "tools/conda/recipe.yaml").read_text())
    assert recipe["context"]["version"] == PROJECT["project"]["version"]
    assert SpecifierSet(recipe["context"]["python"]) == SpecifierSet(PROJECT["project"]["requires-python"])
    slim, whole = (
        {
            canonicalize_name(CONDA_NAMES.get(name, name)): SpecifierSet(bounds)
            for name, _, bounds in (entry.partition(" ") for entry in each["requirements"]["run"])
            if name not in ("python", "${{")
        }
        for each in recipe["outputs"]
    )
    assert slim == requirements(PROJECT["project"]["dependencies"])
    assert slim | whole == requirements(WHOLE)
    (entry,) = recipe["outputs"][0]["build"]["python"]["entry_points"]
    assert entry == "deeplimits = " + PROJECT["project"]["scripts"]["deeplimits"]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_with_hashes_and_no_address(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host", text)
    packages = locked(name)
    assert packages
    assert all(hashes > 0 for _, _, hashes in packages.values())


def test_lock_satisfies_pyproject():
    packages = locked("requirements.lock")
    wanted = requirements(WHOLE)
    wanted |= requirements(PROJECT["dependency-groups"]["dev"])
    wanted |= requirements(EXTRAS["slurm"])
    for name, bounds in wanted.items():
        assert packages[name][0] in bounds, name


@pytest.mark.parametrize("major", ["12", "13"])
def test_cuda_lock_adds_only_what_its_extra_needs(major):
    packages = locked(f"requirements-cuda{major}.lock")
    wanted = requirements(EXTRAS[f"cuda{major}"])
    everybody = locked("requirements.lock")
    assert set(packages) == {*wanted, "cuda-pathfinder"} - set(everybody)
    packages |= everybody
    assert all(packages[name][0] in bounds for name, bounds in wanted.items())


@pytest.mark.parametrize("python", SUPPORTED)
def test_every_direct_dependency_is_locked_for_every_python(python):
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    packages = locked("requirements.lock")
    for name in requirements(WHOLE):
        marker = packages[name][1]
        assert marker is None or Marker(marker).evaluate(environment), name


def test_supported_pythons_are_those_of_the_set_up_script():
    bounds = SpecifierSet(PROJECT["project"]["requires-python"])
    assert [v for v in ("3.10", "3.11", "3.12", "3.13", "3.14") if v in bounds] == list(SUPPORTED)
    classified = [c.rpartition(" ")[2] for c in PROJECT["project"]["classifiers"] if "Python :: 3." in c]
    assert classified == list(SUPPORTED)
    assert "(3, 11) <= sys.version_info[:2] <= (3, 13)" in (ROOT / "tools/setup.sh").read_text()


def test_versions_agree():
    import deeplimits
    from deeplimits.engines import SAMPLER_VERSION

    version = PROJECT["project"]["version"]
    assert deeplimits.__version__ == version
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version
    newest = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1]
    assert newest.startswith(f"[{version}]")
    assert f"Sampler version {SAMPLER_VERSION}." in newest


def committed_texts() -> list[tuple[str, str]]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    files = []
    for name in filter(None, listing.stdout.split("\0")):
        try:
            files.append((name, (ROOT / name).read_text(encoding="utf-8")))
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    assert len(files) > 20
    return files


def test_no_committed_file_names_a_package_index_or_a_machine():
    # Spelt in parts, since this file is one of them.
    hosts = [
        "py" + "pi.org",
        "python" + "hosted",
        "anaconda" + ".org",
        "registry." + "npmjs",
        "deb." + "debian",
    ]
    places = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "py" + "env/versions"]
    found = [(name, word) for name, text in committed_texts() for word in hosts + places if word in text]
    assert found == []


@pytest.fixture(scope="module")
def cuda_extra():
    spec = importlib.util.spec_from_file_location("cuda_extra", ROOT / "tools/cuda_extra.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("version", "extra"), [(None, None), (11080, None), (12000, 12), (12090, 12), (13000, 13), (14020, 13)]
)
def test_cuda_extra_that_fits_a_driver(cuda_extra, version, extra):
    assert cuda_extra.fitting_extra(version) == extra


def test_no_driver_means_no_cuda_extra(cuda_extra):
    assert cuda_extra.driver_cuda_version("libno-such-driver.so.1") is None


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler to make a driver that lies")
@pytest.mark.parametrize(("devices", "expected"), [(1, 12040), (0, None)])
def test_driver_version_is_asked_of_the_driver(cuda_extra, tmp_path, devices, expected):
    source = tmp_path / "driver.c"
    source.write_text(
        "int cuInit(unsigned flags) { return 0; }\n"
        f"int cuDeviceGetCount(int *count) {{ *count = {devices}; return 0; }}\n"
        "int cuDriverGetVersion(int *version) { *version = 12040; return 0; }\n"
    )
    library = tmp_path / "libcuda.so.1"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    assert cuda_extra.driver_cuda_version(str(library)) == expected
