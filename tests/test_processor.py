"""Study stores have the same bytes on different processors, as far as one machine can play another: its C library and its
threads are told to, and a planted choice of NumPy's and BLAS' own shows what they would do.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deeplimits import processor
from deeplimits.analysis.kept import keys_of
from deeplimits.analysis.point import Reduction
from deeplimits.limits.made_by import made_by
from deeplimits.processor import HELD, hold, in_force
from deeplimits.store.paths import study_receipt, study_store
from tiny import project, simulated

STUDY = """
title: Laws of all kinds of solvers
networks:
  - {activation: {name: relu, c_plus: 0.5, c_minus: -0.5}, shaping: {by: width, exponent: 0.5}}
  - {architecture: resnet, activation: {name: tanh}, grid: {depth: 12}}
grid: {width: [16, 24], depth: {times_width: 1.0}, correlation: 0.3}
samples: 1024
record: {layers: 3}
compare:
  - {observable: correlation, limit: matched_sde, rate_in: width}
  - {observable: correlation, limit: infinite_width_fluctuations}
  - {observable: log_variance, limit: infinite_width_fluctuations}
  - {observable: correlation, limit: resnet_ode}
  - {observable: log_variance, limit: matched_variance}
"""
WITHOUT_AVX512 = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD"


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sampled")
    simulated(project(folder, STUDY))
    (folder / "config/config.yaml").write_text("studies: all\nresults: results\n")
    return folder


def aggregated(folder: Path, **told: str) -> tuple[str, str]:
    """SHA-256 of the store that a process makes where one lies already, and of its numbers alone."""
    store = study_store(folder / "results", "tiny")
    study_receipt(folder / "results", "tiny").unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in HELD} | told
    command = [sys.executable, "-m", "deeplimits", "aggregate", "tiny"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    with zipfile.ZipFile(store) as archive:
        names = [name for name in archive.namelist() if not name.startswith("reduction/")]
        numbers = hashlib.sha256(b"".join(map(archive.read, names))).hexdigest()
    return hashlib.sha256(store.read_bytes()).hexdigest(), numbers


def features(**told: str) -> str:
    """What NumPy and BLAS say that they use, in a process that holds them."""
    code = (
        "from deeplimits.processor import hold; hold(); import numpy._core._multiarray_umath as m; "
        "from threadpoolctl import threadpool_info; told = m.__cpu_features__; "
        "print(told.get('X86_V4', told['AVX512_SKX']), told.get('X86_V3', told['AVX2']), "
        "threadpool_info()[0].get('architecture'))"
    )
    environment = {name: value for name, value in os.environ.items() if name not in HELD} | told
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


def has_avx512() -> bool:
    try:
        return "avx512f" in Path("/proc/cpuinfo").read_text(errors="replace").split()
    except OSError:
        return False


@pytest.mark.slow
def test_a_store_has_the_same_bytes_on_another_processor(sampled: Path) -> None:
    """And none of its rows is kept by a process that has made another choice."""
    here = aggregated(sampled)
    study_store(sampled / "results", "tiny").unlink()
    assert aggregated(sampled, GLIBC_TUNABLES=WITHOUT_AVX512, OPENBLAS_NUM_THREADS="8") == here
    if has_avx512():
        # the planted fault: each chooses for itself, as without this module
        own = {"NPY_DISABLE_CPU_FEATURES": "", "OPENBLAS_CORETYPE": "SkylakeX"}
        assert aggregated(sampled, **own)[1] != here[1]
        assert aggregated(sampled) == here


def test_the_command_line_reads_no_numpy_before_it_holds_it() -> None:
    """A single import at the top of a file that it loads would undo it on all processors with AVX-512."""
    code = "import sys, deeplimits.cli; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.skipif(not processor._has_them(), reason="no AVX2")
def test_numpy_and_blas_are_held_unless_the_user_says_otherwise() -> None:
    assert features() == "False True Haswell"
    told = features(NPY_DISABLE_CPU_FEATURES="X86_V4 X86_V3", OPENBLAS_CORETYPE="Nehalem")
    assert told == "False False Nehalem"
    # NumPy does not start where both are set
    assert features(NPY_ENABLE_CPU_FEATURES="X86_V3").split()[1:] == ["True", "Haswell"]


def test_what_is_kept_knows_the_choice_that_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One for all processors where everything is held; else by what was said, and by the processor."""
    asked = Reduction(1, (), (), (), (), 1, 1, Path("study"))
    where: Any = [[(SimpleNamespace(group="a block"), 1)]]

    def found(said: dict[str, str], flags: str) -> tuple[str, str]:
        """The key of a row, and what laws are made by."""
        for name in (*HELD, "NPY_ENABLE_CPU_FEATURES"):
            monkeypatch.delenv(name, raising=False)
        for name, value in said.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(processor, "_first_processor", lambda: [f"flags : {flags}"])
        (key,) = keys_of(asked, where)
        return key, made_by.__wrapped__()

    assert found(HELD, "avx2") == found(HELD, "avx2 avx512f")
    enabled = {"NPY_ENABLE_CPU_FEATURES": "X86_V3", "OPENBLAS_CORETYPE": "Haswell", "MKL_CBWR": "AVX2"}
    other = {**HELD, "OPENBLAS_CORETYPE": "Nehalem"}
    ways = [found(HELD, "avx2"), found(enabled, "avx2"), found(other, "avx2")]
    ways += [found({}, "avx2"), found({}, "avx2 avx512f")]
    assert [len(set(each)) for each in zip(*ways, strict=True)] == [len(ways)] * 2


def test_other_processors_and_late_calls_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in HELD:
        monkeypatch.delenv(name, raising=False)
    hold()  # NumPy has been read
    assert in_force() == {}
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="aarch64"))
    assert not processor._has_them()


@pytest.mark.parametrize("flags", ["fpu sse2 avx", "fpu avx2 fma avx512f"])
def test_a_processor_is_asked_what_it_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: str
) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text(f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\n")
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="x86_64"))
    monkeypatch.setattr(processor, "Path", lambda _: told)
    assert processor._has_them() == ("avx2" in flags)
