"""Kernels as machine code: compiled once by Numba, kept on disk, called without Numba ever after.

Numba's own cache needs all of Numba to be read, which costs a job more time than most blocks do. Kept here is
one object file a kernel, which LLVM links into the process in milliseconds. A kernel is a function of plain C
types: numbers, and arrays as an address followed by their sizes.
"""

from __future__ import annotations

import ctypes
import hashlib
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from deeplimits.engines.compile.cache import ENTRY, cache_folder, made_ahead, made_once

C_TYPES: dict[str, Any] = {
    "u8": ctypes.c_uint64,
    "i8": ctypes.c_int64,
    "i4": ctypes.c_int32,
    "f4": ctypes.c_float,
    "f8": ctypes.c_double,
}

_linking = threading.Lock()
_IMPORT = re.compile(rb"^ *from deeplimits\.((?:engines|architectures)\.[\w.]+) import", re.MULTILINE)


@dataclass(frozen=True)
class Kernel:
    """A function of ``deeplimits.<module>``, to be called with numbers and C-contiguous arrays.

    Parameters
    ----------
    signature
        Types of its arguments: ``f4`` for a number, ``f4[2]`` for an array of two dimensions; u8, i8, i4, f4
        or f8.
    constant
        Where given, the kernel is what the function returns for it.
    inputs
        How many inputs it carries; that many sums or more fill the registers of a thread on a card.
    units
        Whether a sample has units that threads can share; a path has none.
    """

    module: str
    name: str
    signature: str
    constant: int | None = None
    inputs: int = 1
    units: bool = True

    def __call__(self, *arguments: Any) -> None:
        """Run; other threads run meanwhile."""
        plain: list[Any] = []
        for (kind, dimensions), argument in zip(self.arguments, arguments, strict=True):
            if not dimensions:
                plain.append(C_TYPES[kind](argument.item() if isinstance(argument, np.generic) else argument))
                continue
            assert (argument.dtype, argument.ndim) == (np.dtype(kind), dimensions), (self.name, kind)
            assert argument.flags.c_contiguous, self.name
            plain += [argument.ctypes.data, *argument.shape]
        self._function(*plain)

    @cached_property
    def arguments(self) -> list[tuple[str, int]]:
        """(type, dimensions) of each argument; no dimensions for a number."""
        return [(part[:2], int(part[3:-1]) if "[" in part else 0) for part in self.signature.split()]

    @cached_property
    def _function(self) -> Any:
        with _linking:
            _, address = _link(self._machine_code())
        types: list[Any] = []
        for kind, dimensions in self.arguments:
            types += [ctypes.c_void_p] + dimensions * [ctypes.c_int64] if dimensions else [C_TYPES[kind]]
        return ctypes.CFUNCTYPE(None, *types)(address)

    @property
    def path(self) -> Path:
        """Where its machine code is kept: under the digest of its sources and of how it is called, which its
        callers say.
        """
        made_of = f"{_digest(self.module)} {self.signature} {self.constant}"
        named = hashlib.sha256(made_of.encode()).hexdigest()[:16]
        return cache_folder() / f"{self.module}-{self.name}-{self.constant or 0}-{named}.o"

    def _machine_code(self) -> bytes:
        """From disk, whole; compiled anew where it is not there or is damaged."""
        return made_once(self.path, self.compile)

    def compile(self) -> bytes:
        """Its machine code."""
        from deeplimits.engines.compile.compiler import machine_code

        return machine_code(self.module, self.name, self.constant, self.arguments)


def compile_missing(kernels: Iterable[Kernel]) -> None:
    """Compile those kernels that are not kept; processes that want the same ones share them out.

    None that another process is compiling is waited for, which its first call does.
    """
    for kernel in kernels:
        made_ahead(kernel.path, kernel.compile)


@lru_cache
def _link(code: bytes) -> tuple[Any, int]:
    """Link an object file; returns its owner, which must live on, and the address of its entry."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine()
    owner = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    owner.add_object_file(llvm.ObjectFileRef.from_data(code))
    owner.finalize_object()
    return owner, owner.get_function_address(ENTRY)


@lru_cache
def _digest(module: str) -> str:
    """Of the sources that the kernels of a module depend on: its own, those of the modules of engines and
    architectures that they import, and of the compiler.
    """
    folder = Path(__file__).parent.parent.parent
    known: dict[str, bytes] = {}
    waiting = [module, "engines.compile.compiler", "engines.compile.native"]
    while waiting:
        name = waiting.pop()
        if name not in known:
            known[name] = folder.joinpath(*name.split(".")).with_suffix(".py").read_bytes()
            waiting += [each.decode() for each in _IMPORT.findall(known[name])]
    digest = hashlib.sha256()
    for name in sorted(known):
        digest.update(name.encode() + b"\0" + known[name])
    return digest.hexdigest()
