"""Sampled paths of limits by the CUDA kernels: the bits of the CPU engine, run on the host, and compiled for cards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from deeplimits.engines.cuda import engine as cuda
from deeplimits.engines.cuda.invocation import Invocation
from deeplimits.engines.sde import covariance as covariance_module
from deeplimits.engines.sde import paths
from sampled_paths import PATHS, Draw
from without_gpu import host
from without_gpu.nvrtc import compiled

QUICK = {1, 2, 3}


def names(quick: bool = True) -> list[Any]:
    """Parameters of a test; many inputs are exhaustive."""
    slow = [name for name in PATHS if name[:10] == "covariance" and int(name[11]) not in QUICK]
    return [
        pytest.param(name, marks=pytest.mark.exhaustive if name in slow else pytest.mark.slow)
        for name in PATHS
    ]


class Card:
    """Runs instances on the host in an order of threads, or only keeps them."""

    processors = 4

    def __init__(self, order: int | None):
        self.order, self.instances = order, []

    def free(self) -> int:
        return 1 << 30

    def run(self, invocations: Sequence[Invocation]) -> None:
        (asked,) = invocations
        self.instances.append(asked.instance)
        if self.order is not None:
            program = host.build([asked.instance], "plain")
            program.run(asked.instance, asked.arguments, asked.group.samples, self.order)
            return
        for output in asked.outputs:
            output[...] = 1


@pytest.fixture
def on_card(monkeypatch: pytest.MonkeyPatch) -> Callable[[Card, Draw], Sequence[Any]]:
    def run(card: Card, draw: Draw) -> Sequence[Any]:
        with monkeypatch.context() as patched:
            for module in (paths, covariance_module):
                patched.setattr(module, "resolve", lambda _: "cuda")
            patched.setattr(cuda, "_device", lambda: card)
            return draw()

    return run


@pytest.mark.parametrize("name", names())
def test_paths_have_the_bits_of_the_cpu_engine(on_card, name: str) -> None:
    want = PATHS[name]()
    if name == "covariance 3, smooth":
        assert 0 < np.isinf(want[2]).mean() < 1, "some paths explode, some do not"
    for order in (host.FORWARD, host.RANDOM):
        card = Card(order)
        found = on_card(card, PATHS[name])
        assert len(card.instances) == 1
        for expected, got in zip(want, found, strict=True):
            assert np.asarray(expected).tobytes() == np.asarray(got).tobytes()


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize("name", names())
def test_path_kernels_compile_without_spills(on_card, name: str, architecture: str) -> None:
    card = Card(None)
    on_card(card, PATHS[name])
    (instance,) = card.instances
    made = compiled(instance.source(), architecture)
    assert (made.spilled, made.stack) == (0, 0), made.log
    assert made.registers <= 255
