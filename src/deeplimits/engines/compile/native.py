"""Kernels as machine code: compiled once by Numba, kept on disk, called without Numba ever after.

Numba's own cache needs all of Numba to be read, which costs a job more time than most blocks do. Kept here is
one object file a kernel, which LLVM links into the process in milliseconds. A kernel is a function of plain C
types: numbers, and arrays as an address followed by their sizes.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import re
import stat
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

C_TYPES: dict[str, Any] = {
    "u8": ctypes.c_uint64,
    "i8": ctypes.c_int64,
    "i4": ctypes.c_int32,
    "f4": ctypes.c_float,
    "f8": ctypes.c_double,
}
ENTRY = "deeplimits_kernel"
"""Name of the only symbol that an object file offers."""

_linking = threading.Lock()
_IMPORT = re.compile(rb"^ *from deeplimits\.engines\.([\w.]+) import", re.MULTILINE)


@dataclass(frozen=True)
class Kernel:
    """A function of ``deeplimits.engines.<module>``, to be called with numbers and C-contiguous arrays.

    Parameters
    ----------
    signature
        Types of its arguments: ``f4`` for a number, ``f4[2]`` for an array of two dimensions; u8, i8, i4, f4
        or f8.
    constant
        Where given, the kernel is what the function returns for it.
    """

    module: str
    name: str
    signature: str
    constant: int | None = None

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
        """Where its machine code is kept."""
        return cache_folder() / f"{self.module}-{self.name}-{self.constant or 0}-{_digest(self.module)}.o"

    def _machine_code(self) -> bytes:
        """From disk, whole; compiled anew where it is not there or is damaged."""
        code = _kept(self.path)
        if code is None:
            with claim(self.path, _LONGEST):
                code = _kept(self.path) or self.compile()
        return code

    def compile(self) -> bytes:
        """Its machine code, made and kept."""
        from deeplimits.engines.compile.compiler import machine_code

        path = self.path
        code = machine_code(self.module, self.name, self.constant, self.arguments)
        aside = path.with_name(f".part-{path.name}-{os.getpid()}")
        aside.write_bytes(hashlib.sha256(code).digest() + code)
        aside.replace(path)
        return code


_LONGEST = 300.0
"""Seconds to wait for another process that compiles a kernel, before it is compiled here as well."""


def compile_missing(kernels: Iterable[Kernel]) -> None:
    """Compile those kernels that are not kept; processes that want the same ones share them out.

    None that another process is compiling is waited for, which its first call does.
    """
    for kernel in kernels:
        if not kernel.path.exists():
            with claim(kernel.path) as mine:
                if mine and not kernel.path.exists():
                    kernel.compile()


def _kept(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            # a folder may be open to a group: what others put there is never run
            own, content = os.fstat(file.fileno()).st_uid == os.getuid(), file.read()
    except FileNotFoundError:
        return None
    return content[32:] if own and hashlib.sha256(content[32:]).digest() == content[:32] else None


@contextmanager
def claim(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Keep other processes from making a file that this one makes, for as long as this lasts or this process
    lives; whether none of them does, after so many seconds.

    It saves work and nothing depends on it: where the file system has no locks, every process has its claim.
    """
    import fcntl

    beside = path.with_name(f".claim-{path.name}")
    end = time.monotonic() + patience
    with ExitStack() as held:
        mine = True
        try:
            file = held.enter_context(beside.open("w"))
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    mine = time.monotonic() < end
                    if not mine:
                        break
                    time.sleep(0.05)
        except OSError:
            pass
        yield mine
        if mine:
            beside.unlink(missing_ok=True)


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
    """Of the sources that the kernels of a module depend on: its own, those of the modules of engines that
    they import, and of the compiler.
    """
    folder = Path(__file__).parent.parent
    known: dict[str, bytes] = {}
    waiting = [module, "compile.compiler", "compile.native"]
    while waiting:
        name = waiting.pop()
        if name not in known:
            known[name] = folder.joinpath(*name.split(".")).with_suffix(".py").read_bytes()
            waiting += [each.decode() for each in _IMPORT.findall(known[name])]
    digest = hashlib.sha256()
    for name in sorted(known):
        digest.update(name.encode() + b"\0" + known[name])
    return digest.hexdigest()[:16]


@lru_cache
def cache_folder() -> Path:
    """A folder of object files, named by the digest of what they all depend on: the compiler and the
    processor. The digest of its sources is in the name of each.
    """
    import llvmlite.binding as llvm

    digest = hashlib.sha256()
    for part in (version("numba"), version("llvmlite"), llvm.get_process_triple(), *target()):
        digest.update(part.encode() + b"\0")
    name = f"kernels-{digest.hexdigest()[:16]}"
    try:
        base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base) / "deeplimits" / name
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(folder)
    except (OSError, RuntimeError):  # there may be no home
        folder = Path(tempfile.gettempdir()) / f"deeplimits-{os.getuid()}-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022:
            expected = "no folder of this user that nobody else can write to; set XDG_CACHE_HOME"
            raise PermissionError(errno.EACCES, expected, str(folder)) from None
    return folder


def target() -> tuple[str, str]:
    """Name and features of the processor to compile for: this one, or what Numba's variables name."""
    import llvmlite.binding as llvm

    name = os.environ.get("NUMBA_CPU_NAME")
    if name is not None:
        return name, os.environ.get("NUMBA_CPU_FEATURES", "")
    features = llvm.get_host_cpu_features().flatten()
    # LLVM would use half the width of AVX-512 for the sake of older processors, at 2.5 times the time
    return llvm.get_host_cpu_name(), features + ",-prefer-256-bit" * ("+avx512f" in features)
