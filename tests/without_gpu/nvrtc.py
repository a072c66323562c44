"""NVRTC without a device: compile a kernel instance, and read what the assembler says of it."""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deeplimits.engines.cuda.source import ENTRY, OPTIONS


@dataclass(frozen=True)
class Compiled:
    """Machine code of an entry; registers a thread; bytes of spills, stack and shared memory of the entry and what
    it calls."""

    cubin: bytes
    registers: int
    spilled: int
    stack: int
    shared: int
    log: str


@cache
def library() -> ctypes.CDLL:
    """The compiler of the package nvidia-cuda-nvrtc, which is a requirement of development."""
    import nvidia

    found = [path for folder in nvidia.__path__ for path in Path(folder).rglob("libnvrtc.so.*")]
    assert found, "NVRTC is missing: install requirements.lock (make setup)"
    return ctypes.CDLL(str(found[0]))


def compiled(source: str, architecture: str) -> Compiled:
    """Compile for ``sm_80`` and the like; fails with the compiler's log."""
    cubin, log = _made(source, architecture, "CUBIN", "--ptxas-options=-v")
    used = re.search(rf"Compiling entry function '{ENTRY}'.*?Used (\d+) registers([^\n]*)", log, re.DOTALL)
    assert used, log
    shared = re.search(r"(\d+) bytes smem", used[2])
    return Compiled(
        cubin,
        int(used[1]),
        sum(map(int, re.findall(r"(\d+) bytes spill", log))),
        max(map(int, re.findall(r"(\d+) bytes stack frame", log))),
        int(shared[1]) if shared else 0,
        log,
    )


def assembly(source: str) -> str:
    """PTX, where every operation names its rounding or leaves it to the assembler."""
    return _made(source, "compute_90", "PTX")[0].decode()


def _made(source: str, architecture: str, what: str, *more: str) -> tuple[bytes, str]:
    nvrtc = library()
    program = ctypes.c_void_p()
    options = [*OPTIONS, f"--gpu-architecture={architecture}", *more]
    array = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    assert not nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None)
    status = nvrtc.nvrtcCompileProgram(program, len(options), array)
    log = _text(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program).decode().rstrip("\0")
    assert not status, log
    made = _text(getattr(nvrtc, f"nvrtcGet{what}Size"), getattr(nvrtc, f"nvrtcGet{what}"), program)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return made, log


def _text(size_of, get, program: ctypes.c_void_p) -> bytes:
    size = ctypes.c_size_t()
    assert not size_of(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    assert not get(program, buffer)
    return buffer.raw
