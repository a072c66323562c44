"""A card through CuPy: compiled kernels kept on disk, arrays copied there and back, one launch a chunk.

Kernels are compiled here and not by ``RawModule``, which adds ``-ftz=true`` to any options and so would flush
small numbers to zero; it loads what was compiled.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import cupy
import numpy as np
from cupy.cuda import nvrtc

from deeplimits.engines.crews import Crew
from deeplimits.engines.cuda import DeviceMemoryError
from deeplimits.engines.cuda_source import ENTRY, OPTIONS, Instance
from deeplimits.engines.devices import claimed
from deeplimits.engines.native import cache_folder
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

    def run(self, instance: Instance, crew: Crew, arguments: Sequence[Any]) -> None:
        """See ``cuda.Device``."""
        outputs = arguments[len(arguments) - instance.outputs :]
        try:
            with self._device:
                launch, copies = self.prepared(instance, crew, arguments)
                launch()
                for copy, output in zip(copies, outputs, strict=True):
                    copy.get(out=output)
        except cupy.cuda.memory.OutOfMemoryError:
            raise DeviceMemoryError from None
        except _FAILURES as error:
            if any(name in str(error) for name in _MEMORY):
                raise DeviceMemoryError from None
            raise DeviceError(f"the card {self.architecture} failed in mid-block: {error}") from error

    def prepared(
        self, instance: Instance, crew: Crew, arguments: Sequence[Any]
    ) -> tuple[Callable[[], None], list[Any]]:
        """A function that launches with arguments which are on the card by now, and the outputs there."""
        kernel = self.kernel(instance)
        passed: list[Any] = []
        copies = []
        for (kind, dimensions), argument in zip(instance.types, arguments, strict=False):
            if dimensions:
                copies.append(cupy.asarray(argument))
                passed += [copies[-1], *map(np.int64, argument.shape)]
            else:
                passed.append(np.dtype(kind).type(argument))
        copies = copies[len(copies) - instance.outputs :]
        blocks = -(-len(copies[0]) // crew.samples)
        if instance.state:
            rows = blocks * crew.samples
            passed += [
                cupy.empty((rows, instance.state), np.float32),
                np.int64(rows),
                np.int64(instance.state),
            ]
        return partial(kernel, (blocks,), (crew.block,), tuple(passed)), copies

    def kernel(self, instance: Instance) -> Any:
        """To be called with blocks, threads and arguments."""
        if instance.name not in self._kernels:
            path = _compiled(instance.source(), self.architecture)
            self._kernels[instance.name] = cupy.RawModule(path=path).get_function(ENTRY)
        return self._kernels[instance.name]


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
        aside = target.with_name(f".part-{target.name}-{os.getpid()}")
        aside.write_bytes(content)
        aside.replace(target)
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
