"""A CuPy without a card, for what ``cupy_device`` asks of it: "machine code" is the source, and a launch runs the host
program of its instance, with the arguments and sizes that a card would get."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from deeplimits.engines.cuda.source import ENTRY, Instance
from deeplimits.engines.cuda.thread_groups import ThreadGroup
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
    """An array on the card; its address is that of the host's memory."""

    def __init__(self, content: np.ndarray, *, copy: bool = True):
        self.content = np.array(content, order="C") if copy else content
        self.data = SimpleNamespace(ptr=self.content.ctypes.data)
        self.size = self.content.size

    def __getitem__(self, rows: slice) -> OnCard:
        return OnCard(self.content[rows], copy=False)

    def set(self, content: np.ndarray) -> None:
        assert (content.dtype, content.shape) == (self.content.dtype, self.content.shape)
        self.content[...] = content

    def get(self, out: np.ndarray | None = None) -> np.ndarray:
        if out is None:
            return self.content.copy()
        assert out.flags.c_contiguous
        out[...] = self.content
        return out


class Card:
    """What tests see and change: known instances, sources compiled, launches made, and what fails next."""

    def __init__(self) -> None:
        self.instances: dict[str, tuple[Instance, ThreadGroup]] = {}
        self.compiled: list[str] = []
        self.launches: list[str] = []
        self.fails: Exception | None = None

    def launch(
        self, source: str, grid: tuple[int, ...], block: tuple[int, ...], passed: tuple[Any, ...]
    ) -> None:
        if self.fails is not None:
            raise self.fails
        name = re.search(r"using Instance = deeplimits::(.+);", source)[1]
        instance, group = self.instances[name]
        assert block == (group.block,)
        if "table" in source[source.index(ENTRY) :].splitlines()[0]:
            self.launches.append(f"{grid[1]} of {name}")
            self._launch_together(instance, group, grid, *passed)
            return
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
        if instance.state:
            assert arguments.pop().shape == (grid[0] * group.samples, instance.state)
        assert grid == (-(-len(arguments[-1]) // group.samples),)
        host.build([instance], "plain").run(instance, arguments, group.samples)
        self.launches.append(name)

    @staticmethod
    def _launch_together(
        instance: Instance, group: ThreadGroup, grid: tuple[int, ...], memory: OnCard
    ) -> None:
        """Follow the addresses of the table at the start of the memory, and stay within it."""
        start, end = memory.data.ptr, memory.data.ptr + memory.content.nbytes
        rows, calls = memory.content[: 8 * grid[1] * instance.words].view(np.uint64), []
        for row in rows.reshape(grid[1], instance.words):
            words, arguments = list(row), []
            for kind, dimensions in instance.types:
                word = words.pop(0)
                if not dimensions:
                    arguments.append(word.tobytes()[: np.dtype(kind).itemsize])
                    arguments[-1] = np.frombuffer(arguments[-1], kind)[0]
                    continue
                shape = tuple(int(words.pop(0)) for _ in range(dimensions))
                size, address = int(np.prod(shape)) * np.dtype(kind).itemsize, int(word)
                assert start <= address <= end - size
                assert address % 16 == 0
                at = address - start
                arguments.append(memory.content[at : at + size].view(kind).reshape(shape))
            assert not words
            if instance.state:
                state = arguments.pop()
                assert state.shape[0] == group.blocks(len(arguments[-1])) * group.samples
                calls.append((replace(instance, state=state.shape[1]), arguments))
            else:
                calls.append((instance, arguments))
        assert grid[0] == max(group.blocks(len(arguments[-1])) for _, arguments in calls)
        host.build([instance], "plain").run_together(calls, group.samples)


def garbage(shape: int | tuple[int, ...], dtype: Any) -> OnCard:
    """Memory that nobody has written to: floats are NaN, with a sign that no kernel gives them."""
    made = np.empty(shape, dtype)
    made.view(np.uint8).fill(0xFF)
    return OnCard(made, copy=False)


class _Event:
    """A moment, by the clock of the host."""

    def record(self) -> None:
        self.seconds = time.perf_counter()

    def synchronize(self) -> None: ...


class _Module:
    """Machine code that is not an instance's: it computes nothing."""

    def load(self, code: bytes) -> None:
        assert ENTRY.encode() in code

    def get_function(self, name: str) -> Any:
        assert name == ENTRY
        return lambda *_: None


class _Generator:
    def __init__(self, bits: object): ...

    def standard_normal(self, size: int, dtype: Any, out: OnCard) -> None:
        assert (size, dtype) == (out.size, out.content.dtype)


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
        Event=_Event,
        get_elapsed_time=lambda start, stop: 1000 * (stop.seconds - start.seconds),
        function=SimpleNamespace(Module=_Module),
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
        random=SimpleNamespace(Generator=_Generator, Philox4x3210=lambda seed: seed),
        empty=garbage,
        RawModule=raw_module,
        get_default_memory_pool=lambda: SimpleNamespace(free_bytes=lambda: 0),
    )
    return {"cupy": cupy, "cupy.cuda": cuda, "cupy.cuda.nvrtc": nvrtc}
