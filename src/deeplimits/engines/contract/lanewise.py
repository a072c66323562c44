"""Operations on the 16 lanes of a layer, written as arithmetic on vectors and compiled to just that.

A compiler makes vectors of a loop over lanes only where it can prove that no store changes a later load,
which for the rows of one scratch array it cannot. ``lanewise`` turns a function of vectors into a building
block for kernels: every argument is loaded, then the results are stored. Each operation is one IEEE operation
a lane, as in ``arithmetic``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from deeplimits.engines.contract.shape import LANES

_WORD, _REAL, _WIDE, _FLAG = ir.IntType(32), ir.FloatType(), ir.DoubleType(), ir.IntType(1)
_INDEX = ir.IntType(64)
_ROW = ir.VectorType(_REAL, 4)


class Vector:
    """Sixteen float32, float64 or int32 numbers, or truth values, in a kernel that is being written."""

    def __init__(self, builder: Any, value: Any):
        self.builder, self.value = builder, value

    @property
    def _real(self) -> bool:
        return self.value.type.element in (_REAL, _WIDE)

    def operand(self, other: Any) -> Any:
        """Another vector's value, or a number as a vector of this kind."""
        if isinstance(other, Vector):
            return other.value
        return ir.Constant(self.value.type, [float(other) if self._real else int(other)] * LANES)

    def like(self, number: float) -> Vector:
        """A number of this kind in every lane."""
        return Vector(self.builder, self.operand(number))

    def _new(self, real: str, whole: str, other: Any, *, swapped: bool = False) -> Vector:
        operands = [self.value, self.operand(other)]
        if swapped:
            operands.reverse()
        return Vector(self.builder, getattr(self.builder, real if self._real else whole)(*operands))

    def __add__(self, other: Any) -> Vector:
        return self._new("fadd", "add", other)

    def __sub__(self, other: Any) -> Vector:
        return self._new("fsub", "sub", other)

    def __mul__(self, other: Any) -> Vector:
        return self._new("fmul", "mul", other)

    def __rmul__(self, other: Any) -> Vector:
        return self._new("fmul", "mul", other)

    def __truediv__(self, other: Any) -> Vector:
        return self._new("fdiv", "sdiv", other)

    def __rtruediv__(self, other: Any) -> Vector:
        return self._new("fdiv", "sdiv", other, swapped=True)

    def __rsub__(self, other: Any) -> Vector:
        return self._new("fsub", "sub", other, swapped=True)

    def __and__(self, other: Any) -> Vector:
        return self._new("and_", "and_", other)

    def __or__(self, other: Any) -> Vector:
        return self._new("or_", "or_", other)

    def __rshift__(self, other: Any) -> Vector:
        return self._new("lshr", "lshr", other)

    def __lshift__(self, other: Any) -> Vector:
        return self._new("shl", "shl", other)

    def __rlshift__(self, other: Any) -> Vector:
        return self._new("shl", "shl", other, swapped=True)

    def _compared(self, sign: str, other: Any) -> Vector:
        compare = self.builder.fcmp_ordered if self._real else self.builder.icmp_signed
        return Vector(self.builder, compare(sign, self.value, self.operand(other)))

    def __lt__(self, other: Any) -> Vector:
        return self._compared("<", other)

    def __gt__(self, other: Any) -> Vector:
        return self._compared(">", other)

    def __le__(self, other: Any) -> Vector:
        return self._compared("<=", other)

    def __ge__(self, other: Any) -> Vector:
        return self._compared(">=", other)

    def equals(self, other: Any) -> Vector:
        """Lanes where both are the same number."""
        return self._compared("==", other)

    def then(self, true: Any, false: Any) -> Vector:
        """``true`` where this holds, else ``false``; one of them is a vector."""
        known = true if isinstance(true, Vector) else false
        return Vector(
            self.builder, self.builder.select(self.value, known.operand(true), known.operand(false))
        )

    def fma(self, factor: Any, addend: Any) -> Vector:
        """Times ``factor`` plus ``addend``, with one rounding."""
        kind = self.value.type
        name = f"llvm.fma.v16f{64 if kind.element == _WIDE else 32}"
        function = self.builder.module.declare_intrinsic(name, (), ir.FunctionType(kind, [kind] * 3))
        operands = [self.value, self.operand(factor), self.operand(addend)]
        return Vector(self.builder, self.builder.call(function, operands))

    def root(self) -> Vector:
        """√x of float64 numbers, correctly rounded."""
        kind = self.value.type
        function = self.builder.module.declare_intrinsic(
            "llvm.sqrt.v16f64", (), ir.FunctionType(kind, [kind])
        )
        return Vector(self.builder, self.builder.call(function, [self.value]))

    def whole(self) -> Vector:
        """The numbers without their fractions, as int32."""
        return Vector(self.builder, self.builder.fptosi(self.value, ir.VectorType(_WORD, LANES)))

    def real(self) -> Vector:
        """The int32 numbers as float64."""
        return Vector(self.builder, self.builder.sitofp(self.value, ir.VectorType(_WIDE, LANES)))

    def wide(self) -> Vector:
        """The float32 numbers as float64."""
        return Vector(self.builder, self.builder.fpext(self.value, ir.VectorType(_WIDE, LANES)))

    def bits(self) -> Vector:
        """The bits of the numbers as int32, or of int32 as float32."""
        kind = _WORD if self._real else _REAL
        return Vector(self.builder, self.builder.bitcast(self.value, ir.VectorType(kind, LANES)))


class Table:
    """Rows of four float32 numbers, of which each lane may read one."""

    def __init__(self, builder: Any, array: Any):
        self.builder, self.data = builder, array.data
        rows = builder.trunc(builder.extract_value(array.shape, 0), _WORD)
        self.rows = Vector(builder, _splat(builder, rows))

    def __getitem__(self, row: Vector) -> list[Vector]:
        """The four columns of each lane's row.

        A row is one load, and the lanes are transposed in registers: the gather instructions of some
        processors take longer than a loop.
        """
        builder, loaded = self.builder, []
        for lane in range(LANES):
            at = builder.mul(builder.extract_element(row.value, _WORD(lane)), _WORD(4))
            start = builder.bitcast(builder.gep(self.data, [at]), _ROW.as_pointer())
            loaded.append(builder.load(start, align=4))
        for size in (8, 16):
            loaded = [self._shuffled(loaded[i], loaded[i + 1], range(size)) for i in range(0, len(loaded), 2)]
        columns = []
        for column in range(4):
            mask = range(column, 32, 4)
            first, second = (self._shuffled(loaded[i], loaded[i + 1], mask) for i in (0, 2))
            columns.append(Vector(builder, self._shuffled(first, second, range(LANES))))
        return columns

    def _shuffled(self, first: Any, second: Any, mask: range) -> Any:
        return self.builder.shuffle_vector(
            first, second, ir.Constant(ir.VectorType(_WORD, len(mask)), list(mask))
        )


class Coefficients:
    """An array of three dimensions, of which all lanes read the same number."""

    def __init__(self, builder: Any, array: Any):
        self.builder, self.data = builder, array.data
        self.shape = [builder.extract_value(array.shape, axis) for axis in range(3)]

    def __getitem__(self, place: tuple[int, int, int]) -> Vector:
        builder, (first, second, third) = self.builder, place
        row = builder.add(builder.mul(_INDEX(first), self.shape[1]), _INDEX(second))
        at = builder.add(builder.mul(row, self.shape[2]), _INDEX(third))
        return Vector(builder, _splat(builder, builder.load(builder.gep(self.data, [at]))))


def lanewise(function: Callable[..., dict[str, Vector]]) -> Callable[..., Any]:
    """A building block for kernels from a function of vectors.

    Arguments are float32 or float64 arrays of 16 lanes, numbers (the same for every lane), arrays of rows of
    four (``Table``), or arrays of three dimensions (``Coefficients``). The function returns what to store, by
    the names of its arguments.
    """
    names = list(inspect.signature(function).parameters)

    def definition(typingctx: Any, *kinds: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            values: dict[str, Any] = {}
            places: dict[str, Any] = {}
            for name, kind, value in zip(names, signature.args, args, strict=True):
                if not isinstance(kind, types.Array):
                    values[name] = Vector(builder, _splat(builder, value))
                    continue
                array = context.make_array(kind)(context, builder, value)
                if kind.ndim > 1:
                    values[name] = (Table if kind.ndim == 2 else Coefficients)(builder, array)
                    continue
                reals = ir.VectorType(_WIDE if kind.dtype == types.float64 else _REAL, LANES)
                places[name] = builder.bitcast(array.data, reals.as_pointer())
                values[name] = Vector(builder, builder.load(places[name], align=4))
            for name, result in function(**values).items():
                builder.store(result.value, places[name], align=4)
            return context.get_dummy_value()

        return types.void(*kinds), codegen

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    definition.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kind) for name in ("typingctx", *names)]
    )
    definition.__name__, definition.__doc__ = function.__name__, function.__doc__
    built: Callable[..., Any] = intrinsic(definition)
    return built


def _splat(builder: Any, value: Any) -> Any:
    vector = ir.VectorType(value.type, LANES)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, _WORD(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(_WORD, LANES), [0] * LANES))
