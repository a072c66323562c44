"""Formulas of one variable that a user writes in a file: parsed against an allow-list, never run as Python.

A formula is a tree of numbers, ``x``, ``pi``, ``+ - * /``, powers with a constant exponent, and the functions
of ``FUNCTIONS``. It is evaluated by walking the tree with the functions of one library or another: NumPy for
the oracle, mpmath for constants and tables, SymPy where a symbolic answer is wanted.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

FUNCTIONS = (
    "exp",
    "log",
    "sqrt",
    "abs",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "asin",
    "acos",
    "atan",
    "asinh",
    "atanh",
    "erf",
    "erfc",
)
"""Names that may be called, each with one argument."""
CONSTANTS = ("pi",)
LONGEST = 500
"""Characters of a formula."""
_LARGEST_POWER = 64

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


class FormulaError(ValueError):
    """A formula that cannot be read; ``found`` is the part, ``names`` what it may have been meant to be."""

    def __init__(self, found: str, expected: str, names: tuple[str, ...] = ()):
        super().__init__(f"{found}: expected {expected}")
        self.found, self.expected, self.names = found, expected, names


@dataclass(frozen=True, slots=True)
class Library:
    """Functions to evaluate with, how a number is written there, and π."""

    functions: Mapping[str, Callable[[Any], Any]]
    number: Callable[[float | int], Any]
    pi: Any


@dataclass(frozen=True)
class Formula:
    """A checked formula; equal texts are equal formulas.

    Raises
    ------
    FormulaError
        If the text is no formula.
    """

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", ast.unparse(self._tree))

    @cached_property
    def _tree(self) -> ast.expr:
        if len(self.text) > LONGEST:
            raise FormulaError(f"<{len(self.text)} characters>", f"at most {LONGEST} characters")
        try:
            tree = ast.parse(self.text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise FormulaError(self.text, "a formula in x, such as x / (1 + exp(-x))") from None
        _check(tree)
        return tree

    def __call__(self, x: Any, library: Library) -> Any:
        """The value at ``x``, in the numbers of ``library``."""
        return _value(self._tree, x, library)


def _check(node: ast.expr) -> None:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            if abs(number) > 1e300:
                raise FormulaError(ast.unparse(node), "numbers below 1e300")
        case ast.Name(id=name):
            if name not in ("x", *CONSTANTS):
                known = ("x", *CONSTANTS, *FUNCTIONS)
                raise FormulaError(name, "x, pi, numbers, and " + ", ".join(FUNCTIONS), known)
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            _check(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            _check(left)
            if _constant(right) is None or abs(_constant(right) or 0.0) > _LARGEST_POWER:
                raise FormulaError(
                    ast.unparse(node), f"a power with a number up to {_LARGEST_POWER} as its exponent"
                )
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            _check(left)
            _check(right)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            if name not in FUNCTIONS:
                raise FormulaError(name, "one of the functions " + ", ".join(FUNCTIONS), FUNCTIONS)
            _check(argument)
        case _:
            raise FormulaError(
                ast.unparse(node), "x, pi, numbers, + - * / **, and functions of one argument", FUNCTIONS
            )


def _constant(node: ast.expr) -> float | None:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -float(number)
    return None


def _value(node: ast.expr, x: Any, library: Library) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return library.number(number)
        case ast.Name(id="x"):
            return x
        case ast.Name():
            return library.pi
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, x, library)
        case ast.UnaryOp(operand=operand):
            return _value(operand, x, library)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            exponent = _constant(right)
            assert exponent is not None
            whole = int(exponent) if exponent == int(exponent) else library.number(exponent)
            return _value(left, x, library) ** whole
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_value(left, x, library), _value(right, x, library))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return library.functions[name](_value(argument, x, library))
    raise AssertionError(ast.unparse(node))
