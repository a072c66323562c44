"""A card through CuPy: compiled kernels kept on disk, arrays copied there and back, one launch a chunk
or for many small calls.

Kernels are compiled here and not by ``RawModule``, which adds ``-ftz=true`` to any options and so would flush
small numbers to zero; it loads what was compiled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import cupy
import numpy as np
from cupy.cuda import nvrtc

from deeplimits.engines.compile.cache import cache_folder, written
from deeplimits.engines.cuda.devices import claimed
from deeplimits.engines.cuda.invocation import DeviceMemoryError, Invocation
from deeplimits.engines.cuda.shared_launch import SharedLaunch
from deeplimits.engines.cuda.source import ENTRY, OPTIONS
from deeplimits.errors import DeviceError

_FAILURES = (cupy.cuda.runtime.CUDARuntimeError, cupy.cuda.driver.CUDADriverError)
_NEWEST = "install the newest packages of the extra cuda12 or cuda13"
_MEMORY = ("cudaErrorMemoryAllocation", "CUDA_ERROR_OUT_OF_MEMORY")


class CupyDevice:
    """The card of this process."""

    def __init__(self) -> None:
        runtime = cupy.cuda.runtime
        count = runtime.getDeviceCount()
        self._device = cupy.cuda.Device(claimed([runtime.deviceGetPCIBusId(index) for index in range(count)]))
        self.architecture = f"sm_{self._device.compute_capability}"
        self.processors = int(self._device.attributes["MultiProcessorCount"])
        self._kernels: dict[str, Any] = {}

    @property
    def description(self) -> dict[str, str]:
        """The card, its driver, and what the kernels are compiled with."""
        runtime = cupy.cuda.runtime
        return {
            "device": runtime.getDeviceProperties(self._device.id)["name"].decode(),
            "driver_cuda": str(runtime.driverGetVersion()),
            "nvrtc": ".".join(map(str, nvrtc.getVersion())),
            "cupy": cupy.__version__,
        }

    def free(self) -> int:
        """Bytes of free memory, with what CuPy holds for itself."""
        return int(self._device.mem_info[0]) + int(cupy.get_default_memory_pool().free_bytes())

    def run(self, invocations: Sequence[Invocation]) -> None:
        """See ``Device``."""
        try:
            with self._device:
                launch, fetch = self.prepared(invocations)
                launch()
                fetch()
        except cupy.cuda.memory.OutOfMemoryError:
            raise DeviceMemoryError from None
        except _FAILURES as error:
            if any(name in str(error) for name in _MEMORY):
                raise DeviceMemoryError from None
            raise DeviceError(f"the card {self.architecture} failed in mid-block: {error}") from error

    def prepared(self, invocations: Sequence[Invocation]) -> tuple[Callable[[], None], Callable[[], None]]:
        """A function that launches, with arguments that are on the card by now, and one that fetches the
        outputs from there.
        """
        return self._alone(invocations[0]) if len(invocations) == 1 else self._together(invocations)

    def _alone(self, invocation: Invocation) -> tuple[Callable[[], None], Callable[[], None]]:
        instance, group = invocation.instance, invocation.group
        passed: list[Any] = []
        copies = []
        for index, (kind, dimensions) in enumerate(instance.types[: instance.arguments]):
            argument = invocation.arguments[index]
            if not dimensions:
                passed.append(np.dtype(kind).type(argument))
                continue
            written = index >= instance.arguments - instance.outputs
            copies.append(cupy.empty(argument.shape, kind) if written else cupy.asarray(argument))
            passed += [copies[-1], *map(np.int64, argument.shape)]
        blocks = group.blocks(invocation.samples)
        if instance.state:
            rows = blocks * group.samples
            state = cupy.empty((rows, instance.state), np.float32)
            passed += [state, np.int64(rows), np.int64(instance.state)]
        outputs = invocation.outputs
        copies = copies[len(copies) - len(outputs) :]

        def fetch() -> None:
            for copy, output in zip(copies, outputs, strict=True):
                copy.get(out=output)

        kernel = self._kernel(instance.name, instance.source)
        return partial(kernel, (blocks,), (group.block,), tuple(passed)), fetch

    def _together(self, invocations: Sequence[Invocation]) -> tuple[Callable[[], None], Callable[[], None]]:
        shared, group = SharedLaunch(invocations), invocations[0].group
        memory = cupy.empty(shared.size, np.uint8)
        memory[: shared.outputs.start].set(shared.inputs(memory.data.ptr))
        instance = invocations[0].instance
        kernel = self._kernel(f"shared {instance.name}", instance.shared_source)
        grid = shared.blocks, len(invocations)
        # the table is at the start of the memory
        launch = partial(kernel, grid, (group.block,), (memory,))
        return launch, lambda: shared.take(memory[shared.outputs].get())

    def _kernel(self, name: str, source: Callable[[], str]) -> Any:
        """To be called with blocks, threads and arguments."""
        if name not in self._kernels:
            path = _compiled(source(), self.architecture)
            self._kernels[name] = cupy.RawModule(path=path).get_function(ENTRY)
        return self._kernels[name]


@cache
def device() -> CupyDevice:
    """The card of this process.

    Raises
    ------
    DeviceError
        If it does not start.
    """
    try:
        return CupyDevice()
    except _FAILURES as error:
        raise DeviceError(f"the card does not start: {error}") from error


def _compiled(source: str, architecture: str) -> str:
    """Path of the machine code of ``source``, made where it is not there or is damaged.

    It is kept with its digest beside it, since the driver reads the file itself.
    """
    described = "\0".join([source, architecture, *OPTIONS, str(nvrtc.getVersion())])
    path = cache_folder() / f"{hashlib.sha256(described.encode()).hexdigest()[:32]}.cubin"
    digest = path.with_suffix(".sha256")
    try:
        if digest.read_text(encoding="ascii") == hashlib.sha256(path.read_bytes()).hexdigest():
            return str(path)
    except (FileNotFoundError, UnicodeDecodeError):
        pass
    code = compiled(source, architecture)
    for target, content in ((path, code), (digest, hashlib.sha256(code).hexdigest().encode())):
        written(target, content)
    return str(path)


def compiled(source: str, architecture: str) -> bytes:
    """Machine code, by NVRTC; no card is needed.

    Raises
    ------
    DeviceError
        If NVRTC does not know the architecture.
    """
    program = nvrtc.createProgram(source, "deeplimits.cu", [], [])
    try:
        nvrtc.compileProgram(program, [*OPTIONS, f"--gpu-architecture={architecture}"])
        return bytes(nvrtc.getCUBIN(program))
    except nvrtc.NVRTCError as error:
        number = ".".join(map(str, nvrtc.getVersion()))
        log = nvrtc.getProgramLog(program)
        raise DeviceError(
            f"NVRTC {number} does not compile for {architecture}: {error} {log}".strip(), _NEWEST
        ) from error
    finally:
        nvrtc.destroyProgram(program)
