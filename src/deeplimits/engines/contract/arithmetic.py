"""The operations of the number contract for the CPU engine: each is one IEEE 754 operation, or moves bits.

Numba is used without ``fastmath``, so a sum or a product is never fused or reordered behind our back; where a
fused multiply-add is wanted it is written. The same names exist in the CUDA source, and both give the same
bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from deeplimits.engines.compile.cache import target

# before anything is compiled: the loops are vectorised by Numba, for the processor that it believes in
numba.config.CPU_NAME, numba.config.CPU_FEATURES = target()


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile an engine kernel: strict arithmetic, no checks, no exceptions."""
    compiled: Callable[..., Any] = numba.njit(error_model="numpy", boundscheck=False)(function)
    return compiled


def part(function: Callable[..., Any]) -> Callable[..., Any]:
    """As ``kernel``, for what only kernels call: nothing is made that Python would need to call it, which
    takes long for so many arguments.
    """
    compiled: Callable[..., Any] = numba.njit(
        error_model="numpy", boundscheck=False, no_cpython_wrapper=True, no_cfunc_wrapper=True
    )(function)
    return compiled


def inline(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a building block that every caller inlines."""
    compiled: Callable[..., Any] = numba.njit(inline="always", error_model="numpy")(function)
    return compiled


@intrinsic
def fma(typingctx: Any, x: Any, y: Any, z: Any) -> Any:
    """x · y + z with one rounding; all three float32 or all three float64."""
    kind = x if x in (types.float32, types.float64) else types.float64

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return kind(kind, kind, kind), codegen


@intrinsic
def square_root(typingctx: Any, x: Any) -> Any:
    """√x, correctly rounded, float32 or float64."""
    kind = x if x in (types.float32, types.float64) else types.float64

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        real = ir.FloatType() if kind == types.float32 else ir.DoubleType()
        return builder.call(builder.module.declare_intrinsic("llvm.sqrt", [real]), args)

    return kind(kind), codegen


@intrinsic
def float_bits(typingctx: Any, x: Any) -> Any:
    """The 32 bits of a float32 as an int32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(32))

    return types.int32(types.float32), codegen


@intrinsic
def bits_float(typingctx: Any, x: Any) -> Any:
    """The float32 with the 32 bits of an int32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), codegen


f4 = np.float32
i4 = np.int32
u4 = np.uint32
