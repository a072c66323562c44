"""A CuPy without a card, for what ``cupy_device`` asks of it: "machine code" is the source, and a launch runs the host
program of its instance, with the arguments and sizes that a card would get."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from deeplimits.engines.crews import Crew
from deeplimits.engines.cuda_source import ENTRY, Instance
from without_gpu import host


class RuntimeFailure(RuntimeError):
    """CUDARuntimeError."""


class DriverFailure(RuntimeError):
    """CUDADriverError."""


class OutOfMemory(MemoryError):
    """OutOfMemoryError."""


class CompilerFailure(RuntimeError):
    """NVRTCError."""


class OnCard:
    """An array on the card."""

    def __init__(self, content: np.ndarray):
        self.content = np.array(content, order="C")

    def __len__(self) -> int:
        return len(self.content)

    def get(self, out: np.ndarray) -> None:
        assert out.flags.c_contiguous
        out[...] = self.content


class Card:
    """What tests see and change: known instances, sources compiled, launches made, and what fails next."""

    def __init__(self) -> None:
        self.instances: dict[str, tuple[Instance, Crew]] = {}
        self.compiled: list[str] = []
        self.launches: list[str] = []
        self.fails: Exception | None = None

    def launch(
        self, source: str, grid: tuple[int, ...], block: tuple[int, ...], passed: tuple[Any, ...]
    ) -> None:
        if self.fails is not None:
            raise self.fails
        name = re.search(r"using Instance = deeplimits::(.+);", source)[1]
        instance, crew = self.instances[name]
        waiting, arguments = list(passed), []
        for kind, dimensions in instance.types:
            value = waiting.pop(0)
            if not dimensions:
                assert value.dtype == np.dtype(kind), (name, kind, value)
                arguments.append(value)
                continue
            assert value.content.dtype == np.dtype(kind)
            sizes = [waiting.pop(0) for _ in range(dimensions)]
            assert all(size.dtype == np.int64 for size in sizes)
            assert tuple(sizes) == value.content.shape
            arguments.append(value.content)
        assert not waiting
        assert block == (crew.block,)
        if instance.state:
            assert arguments.pop().shape == (grid[0] * crew.samples, instance.state)
        assert grid == (-(-len(arguments[-1]) // crew.samples),)
        host.build([instance], "plain").run(instance, arguments, crew.samples)
        self.launches.append(name)


class _Device:
    compute_capability = "90"
    mem_info = (1 << 30, 1 << 31)

    def __init__(self, index: int):
        self.id = index
        self.attributes = {"MultiProcessorCount": 132}

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def modules(card: Card) -> dict[str, ModuleType]:
    """For ``sys.modules``."""
    cupy, cuda, nvrtc = ModuleType("cupy"), ModuleType("cupy.cuda"), ModuleType("cupy.cuda.nvrtc")

    def raw_module(*, path: str) -> Any:
        source = Path(path).read_text()
        return SimpleNamespace(get_function={ENTRY: partial(card.launch, source)}.__getitem__)

    def compile_program(program: str, options: list[str]) -> None:
        assert "-ftz=false" in options
        assert "-fmad=false" in options
        if "sm_90" not in options[-1]:
            raise CompilerFailure("NVRTC_ERROR_INVALID_OPTION")
        card.compiled.append(program)

    nvrtc.__dict__.update(
        NVRTCError=CompilerFailure,
        getVersion=lambda: (13, 0),
        createProgram=lambda source, *_: source,
        compileProgram=compile_program,
        getCUBIN=str.encode,
        getProgramLog=lambda _: "nvrtc: error: invalid value for --gpu-architecture",
        destroyProgram=lambda _: None,
    )
    cuda.__dict__.update(
        Device=_Device,
        nvrtc=nvrtc,
        driver=SimpleNamespace(CUDADriverError=DriverFailure),
        memory=SimpleNamespace(OutOfMemoryError=OutOfMemory),
        runtime=SimpleNamespace(
            CUDARuntimeError=RuntimeFailure,
            getDeviceCount=lambda: 1,
            deviceGetPCIBusId=lambda index: f"0000:0{index}:00.0",
            getDeviceProperties=lambda _: {"name": b"NVIDIA Nothing"},
            driverGetVersion=lambda: 13000,
        ),
    )
    cupy.__dict__.update(
        __version__="14.0",
        cuda=cuda,
        asarray=OnCard,
        empty=lambda shape, dtype: OnCard(np.full(shape, np.nan, dtype)),
        RawModule=raw_module,
        get_default_memory_pool=lambda: SimpleNamespace(free_bytes=lambda: 0),
    )
    return {"cupy": cupy, "cupy.cuda": cuda, "cupy.cuda.nvrtc": nvrtc}
