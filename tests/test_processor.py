"""Study stores have the same bytes on different processors, as far as one machine can play another: its C library and its
threads are told to, and a planted choice of NumPy's and BLAS' own shows what they would do.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from deeplimits import processor
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


def aggregated(folder: Path, **told: str) -> str:
    """SHA-256 of the store that a process makes from the beginning."""
    store = study_store(folder / "results", "tiny")
    for path in (store, study_receipt(folder / "results", "tiny")):
        path.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in HELD} | told
    command = [sys.executable, "-m", "deeplimits", "aggregate", "tiny"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return hashlib.sha256(store.read_bytes()).hexdigest()


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
    here = aggregated(sampled)
    assert aggregated(sampled, GLIBC_TUNABLES=WITHOUT_AVX512, OPENBLAS_NUM_THREADS="8") == here
    if has_avx512():
        # the planted fault: each chooses for itself, as without this module
        own = {"NPY_DISABLE_CPU_FEATURES": "", "OPENBLAS_CORETYPE": "SkylakeX"}
        assert aggregated(sampled, **own) != here


@pytest.mark.skipif(not processor._has_them(), reason="no AVX2")
def test_numpy_and_blas_are_held_unless_the_user_says_otherwise() -> None:
    assert features() == "False True Haswell"
    told = features(NPY_DISABLE_CPU_FEATURES="X86_V4 X86_V3", OPENBLAS_CORETYPE="Nehalem")
    assert told == "False False Nehalem"
    # NumPy does not start where both are set
    assert features(NPY_ENABLE_CPU_FEATURES="X86_V3").split()[1:] == ["True", "Haswell"]


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
