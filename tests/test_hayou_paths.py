"""Sampled paths of the SDE of residual networks: networks with explicit weights, bits, and the control variate.

Unless a test says otherwise it is a statistical one with a false-alarm rate of 1e-4.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deeplimits.engines.sde.residual_paths import residual_paths
from hayou_networks import RATE, explicit, same


@pytest.mark.parametrize(
    ("width", "slopes", "start"),
    [(1, (1.0, 0.0), None), (3, (1.0, 0.0), None), (5, (1.5, -0.5), None), (3, (1.0, 0.0), 0.7)],
)
def test_paths_are_residual_networks(width: int, slopes: tuple[float, float], start: float | None) -> None:
    """Two levels of four and of two layers against explicit weights, three observables each: false-alarm rate
    6e-4 each; with a layer too few the growth is another."""
    samples = 40_000
    paths = residual_paths(width, (2, 4), (0.0, 1.0), 0, samples, slopes=slopes, start=start, variance=2.0)
    for level, depth in enumerate((2, 4)):
        drawn = explicit(width, depth, samples, depth, slopes, start, 2.0)
        assert same(paths.log_activation[:, level, 0], drawn["first"]) > RATE
        assert same(paths.log_activation[:, level, 1], drawn["activation"]) > RATE
        assert same(paths.log_square[:, level, 1], drawn["square"]) > RATE
    wrong = explicit(width, 4, samples, 7, tuple(np.sqrt(0.8) * np.array(slopes)), start, 2.0)
    with np.errstate(invalid="ignore"):
        growth = paths.log_activation[:, 1, 1] - paths.log_activation[:, 1, 0]
        other = wrong["activation"] - wrong["first"]
    assert same(growth, other) < 1e-6


def test_paths_have_the_same_bits_for_any_split_thread_count_and_choice_of_levels() -> None:
    whole = residual_paths(3, (2, 4), (0.5, 1.0), 0, 300, threads=1)
    parts = [
        residual_paths(3, (2, 4), (1.0,), a, b - a, threads=2) for a, b in ((0, 7), (7, 200), (200, 300))
    ]
    alone = residual_paths(3, (4,), (1.0,), 0, 300, threads=2)
    for name in ("log_activation", "log_square", "control", "positive"):
        expected = np.ascontiguousarray(getattr(whole, name)[:, :, 1])
        assert (
            expected.tobytes() == np.concatenate([getattr(part, name)[:, :, 0] for part in parts]).tobytes()
        )
        assert expected[:, 1].tobytes() == getattr(alone, name)[:, 0, 0].tobytes()


def digest() -> str:
    """Of a few paths at two step sizes."""
    paths = residual_paths(7, (4, 8), (0.0, 1.0), 0, 37, slopes=(1.3, -0.4), seed=3)
    parts = (paths.log_activation, paths.log_square, paths.control, paths.positive)
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()[:16]


def test_paths_have_the_known_bits() -> None:
    """What the number contract gives is fixed."""
    assert digest() == "f4541f2f0f4f48d9"


@pytest.mark.slow
def test_the_instruction_set_leaves_no_trace_in_paths(tmp_path: Path) -> None:
    """The kernel compiled for a processor without vector multiply-add, in a process of its own."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_hayou_paths as t; print(t.digest())"
    environment = os.environ | {
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "f4541f2f0f4f48d9"


def test_the_control_variate_has_mean_zero_and_is_nearly_all_of_the_noise() -> None:
    """Six widths and slopes: false-alarm rate 1e-5 each."""
    for width, slopes in ((1, (1.0, 0.0)), (2, (1.0, 0.0)), (20, (1.0, 0.0)), (3, (1.2, -0.4))):
        paths = residual_paths(width, (20,), (0.0, 0.5, 1.0), 0, 1 << 15, slopes=slopes)
        alive = np.isfinite(paths.log_activation[:, 0, 2])
        for record in (1, 2):
            control = paths.control[:, 0, record]
            assert abs(control.mean()) < 4.4 * control.std() / np.sqrt(len(control))
            growth = paths.log_activation[alive, 0, record] - paths.log_activation[alive, 0, 0]
            assert np.var(growth - control[alive]) < 0.12 * np.var(growth)
