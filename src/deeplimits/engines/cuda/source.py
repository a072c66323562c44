"""CUDA C++ of a kernel instance: the source beside the CPU kernel, and an entry made from the signature
of that kernel.

The entry takes what the CPU kernel takes, but for its scratch: numbers, and arrays as an address followed by
their sizes. Where several calls share a launch it takes them from a table, one call for each row of blocks.
It is the only symbol of a module, so no mangled names are needed. The tests put the same sources behind an
entry of their own, to run them on the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from deeplimits.engines.compile.native import Kernel
from deeplimits.engines.contract.shape import DEGREE, KINDS, LANES, TILE

FOLDER = Path(__file__).parent.parent.parent
ENTRY = "deeplimits_kernel"

OPTIONS = ("--std=c++17", "-fmad=false", "-ftz=false", "-prec-div=true", "-prec-sqrt=true")
"""Of the compiler. The sources name the rounding of every operation; these hold for what they forget."""

_SIZES = (
    "namespace deeplimits {\n"
    f"constexpr int LANES = {LANES}, TILE = {TILE}, KINDS = {KINDS}, DEGREE = {DEGREE};\n"
    "}\n"
)
_INCLUDE = re.compile(r'^#include "([\w/]+\.cuh)"\n', re.MULTILINE)
_NUMBERS = {"u8": "unsigned long long", "i8": "long long", "i4": "int", "f4": "float", "f8": "double"}
_FROM_WORD = {
    "u8": "{}",
    "i8": "(long long){}",
    "i4": "(int){}",
    "f4": "__int_as_float((int){})",
    "f8": "__longlong_as_double((long long){})",
}


@dataclass(frozen=True)
class Instance:
    """A kernel for given template arguments.

    Parameters
    ----------
    kernel
        The CPU kernel that it computes the same as.
    arguments
        How many of that kernel's arguments it takes.
    outputs
        How many of them, the last, are written.
    parameters
        Template arguments.
    state
        Numbers (float32) that it keeps of a sample in the card's memory, in an array [sample, number] of its
        own that comes after the outputs.
    """

    kernel: Kernel
    arguments: int
    outputs: int
    parameters: tuple[int, ...]
    state: int = 0

    @property
    def name(self) -> str:
        """As C++ has it: ``two_inputs<16, 1>``."""
        parameters = ", ".join(map(str, self.parameters))
        return f"{self.kernel.name}<{parameters}>" if parameters else self.kernel.name

    @property
    def types(self) -> list[tuple[str, int]]:
        """(type, dimensions) of each argument."""
        return self.kernel.arguments[: self.arguments] + [("f4", 2)] * (self.state > 0)

    def cpp_types(self) -> list[str]:
        """Types of the arguments as the kernel takes them."""
        types = []
        for index, (kind, dimensions) in enumerate(self.types):
            constant = "const " * (index < self.arguments - self.outputs)
            array = f"deeplimits::Array<{constant}deeplimits::{kind}, {dimensions}>"
            types.append(array if dimensions else _NUMBERS[kind])
        return types

    def source(self) -> str:
        """The text that NVRTC compiles."""
        declared, handed = [], ["memory"]
        for index, ((kind, dimensions), cpp_type) in enumerate(
            zip(self.types, self.cpp_types(), strict=True)
        ):
            if not dimensions:
                declared.append(f"{cpp_type} a{index}")
                handed.append(f"a{index}")
                continue
            constant = "const " * (index < self.arguments - self.outputs)
            sizes = [f"n{index}_{axis}" for axis in range(dimensions)]
            declared.append(f"{constant}deeplimits::{kind} *__restrict__ a{index}")
            declared += [f"long long {size}" for size in sizes]
            handed.append(f"{cpp_type}{{a{index}, {{{', '.join(sizes)}}}}}")
        return self._module(", ".join(declared), f"    Instance::run({', '.join(handed)});\n")

    @property
    def words(self) -> int:
        """Words of 8 bytes that a call takes in a table: one for a number, address and sizes for an array."""
        return sum(1 + dimensions for _, dimensions in self.types)

    def shared_source(self) -> str:
        """As ``source``, for a launch that several calls share: the entry takes the address of a table [call,
        word], and the second index of a block tells which call is its own.
        """
        return self._module("const unsigned long long *__restrict__ table", self.from_table())

    def from_table(self) -> str:
        """C++ of a block that takes its call from ``table``; beyond the samples of that it does nothing."""
        handed, at, rows = ["memory"], 0, 0
        for index, ((kind, dimensions), cpp_type) in enumerate(
            zip(self.types, self.cpp_types(), strict=True)
        ):
            if dimensions:
                constant = "const " * (index < self.arguments - self.outputs)
                sizes = ", ".join(f"(long long)words[{at + 1 + axis}]" for axis in range(dimensions))
                handed.append(f"{cpp_type}{{({constant}deeplimits::{kind} *)words[{at}], {{{sizes}}}}}")
            else:
                handed.append(_FROM_WORD[kind].format(f"words[{at}]"))
            rows = at + 1 if index == self.arguments - 1 else rows
            at += 1 + dimensions
        return (
            f"    const unsigned long long *words = table + blockIdx.y * {at};\n"
            f"    if ((long long)blockIdx.x * Instance::Members::SAMPLES >= (long long)words[{rows}])\n"
            "        return;\n"
            f"    Instance::run({', '.join(handed)});\n"
        )

    def _module(self, declared: str, body: str) -> str:
        return (
            f"{library(self.kernel.module)}\n"
            f"using Instance = deeplimits::{self.name};\n"
            f'extern "C" __global__ void __launch_bounds__(Instance::Members::BLOCK, 1)\n'
            f"{ENTRY}({declared}) {{\n"
            "    __shared__ __align__(16) unsigned char memory[Instance::SHARED];\n"
            f"{body}"
            "}\n"
        )


@lru_cache
def library(*modules: str) -> str:
    """The sources of modules of kernels, each once, those it needs before it; first of all the sizes that
    all engines agree on.
    """
    known: set[str] = set()
    files = (f"{module.replace('.', '/')}.cuh" for module in modules)
    return _SIZES + "".join(part for file in files for part in _included(file, known))


def _included(name: str, known: set[str]) -> Iterator[str]:
    if name in known:
        return
    known.add(name)
    text = (FOLDER / name).read_text(encoding="utf-8").replace("#pragma once\n", "")
    for other in _INCLUDE.findall(text):
        yield from _included(other, known)
    yield f'#line 1 "{name}"\n' + _INCLUDE.sub("\n", text)
