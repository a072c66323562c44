"""CUDA C++ of a kernel instance: the sources in ``kernels/``, and an entry made from the signature of the CPU
kernel of the same name.

The entry takes what the CPU kernel takes, but for its scratch: numbers, and arrays as an address followed by
their sizes. It is the only symbol of a module, so no mangled names are needed. The tests put the same sources
behind an entry of their own, to run them on the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from deeplimits.engines.native import Kernel

FOLDER = Path(__file__).parent / "kernels"
ENTRY = "deeplimits_kernel"

OPTIONS = ("--std=c++17", "-fmad=false", "-ftz=false", "-prec-div=true", "-prec-sqrt=true")
"""Of the compiler. The sources name the rounding of every operation; these hold for what they forget."""

_INCLUDE = re.compile(r'^#include "(\w+\.cuh)"\n', re.MULTILINE)
_NUMBERS = {"u8": "unsigned long long", "i8": "long long", "i4": "int", "f4": "float", "f8": "double"}


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
        return (
            f"{library(self.kernel.module)}\n"
            f"using Instance = deeplimits::{self.name};\n"
            f'extern "C" __global__ void __launch_bounds__(Instance::Members::BLOCK, 1)\n'
            f"{ENTRY}({', '.join(declared)}) {{\n"
            "    __shared__ __align__(16) unsigned char memory[Instance::SHARED];\n"
            f"    Instance::run({', '.join(handed)});\n"
            "}\n"
        )


@lru_cache
def library(*modules: str) -> str:
    """The sources of modules of kernels, each once, those it needs before it."""
    known: set[str] = set()
    return "".join(part for module in modules for part in _included(f"{module}.cuh", known))


def _included(name: str, known: set[str]) -> Iterator[str]:
    if name in known:
        return
    known.add(name)
    text = (FOLDER / name).read_text(encoding="utf-8").replace("#pragma once\n", "")
    for other in _INCLUDE.findall(text):
        yield from _included(other, known)
    yield f'#line 1 "{name}"\n' + _INCLUDE.sub("\n", text)
