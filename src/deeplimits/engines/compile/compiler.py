"""From a kernel in Python to an object file, by Numba and LLVM; needed once on a machine, see ``native``."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm
import numba
from numba import types
from numba.core import ir

from deeplimits.engines.compile.cache import ENTRY, target

_TYPES = {
    "u8": types.uint64,
    "i8": types.int64,
    "i4": types.int32,
    "f4": types.float32,
    "f8": types.float64,
}

# Numba copies a function that it inlines twice, block by block, and with each block all its variables, which
# nobody tells apart: a tenth to a quarter of the time of compilation.
ir.Scope.__deepcopy__ = lambda self, _: self


def machine_code(module: str, name: str, constant: int | None, arguments: Sequence[tuple[str, int]]) -> bytes:
    """The object file of ``deeplimits.<module>.<name>``, with the entry ``ENTRY``."""
    function = getattr(importlib.import_module(f"deeplimits.{module}"), name)
    kernel = function if constant is None else function(constant)
    flat: list[Any] = []
    names, values = [], []
    for index, (kind, dimensions) in enumerate(arguments):
        sizes = [f"n{index}_{axis}" for axis in range(dimensions)]
        names += [f"a{index}", *sizes]
        values.append(f"carray(a{index}, ({', '.join(sizes)},))" if dimensions else f"a{index}")
        flat += [types.CPointer(_TYPES[kind]), *dimensions * [types.int64]] if dimensions else [_TYPES[kind]]
    # a function of so many arguments can be made in no other way; the text is made of numbers alone
    text = f"def entry({', '.join(names)}):\n    kernel({', '.join(values)})\n"
    scope = {"kernel": kernel, "carray": numba.carray}
    exec(text, scope)  # noqa: S102
    compiled = numba.cfunc(types.void(*flat), nopython=True, error_model="numpy")(scope["entry"])
    return _object(compiled.inspect_llvm(), compiled.native_name)


def _object(text: str, native_name: str) -> bytes:
    """Machine code of a module whose only symbol is ``native_name``, as ``ENTRY``.

    With everything inlined into the entry, LLVM sees that kernels raise nothing and own no memory, and
    removes what Numba put there for both: the object asks for nothing that Numba would have to provide.
    """
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = target()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=cpu, features=features, opt=3, reloc="pic"
    )
    module = llvm.parse_assembly(text)
    for function in module.functions:
        if function.name == native_name:
            function.name = ENTRY
        elif not function.is_declaration:
            function.linkage = "internal"
            function.add_function_attribute("alwaysinline")
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    foreign = {function.name for function in module.functions if function.is_declaration}
    foreign = {name for name in foreign if not name.startswith("llvm.")}
    assert not foreign, f"a kernel that raises or allocates: {sorted(foreign)}"
    return bytes(machine.emit_object(module))
