"""Formulas of one variable that a user writes in a file: parsed against an allow-list, never run as Python.

A formula is a tree of numbers, ``x``, ``pi``, ``+ - * /``, powers with a constant exponent, and the functions
of ``FUNCTIONS``. It is evaluated by walking the tree with the functions of one library or another: NumPy for
the oracle, mpmath for constants and tables, SymPy where a symbolic answer is wanted. Its derivative is a tree
of the same kind, exact, and evaluated in the same way.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from deeplimits.formula_derivatives import constant, derivative_of, has_x
from deeplimits.formula_names import meant

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
DEEPEST = 200
"""Levels of a formula: signs, operators and functions within one another."""
_LARGEST_POWER = 64
_LARGEST = 1e300
"""Size of numbers, and of what is computed from numbers alone."""

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


class FormulaError(ValueError):
    """A formula that cannot be read; ``found`` is the part, ``nearest`` what it is a likely slip of."""

    def __init__(self, found: str, expected: str, nearest: str | None = None):
        super().__init__(f"{found}: expected {expected}")
        self.found, self.expected, self.nearest = found, expected, nearest


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
        tree, text = _read(self.text)
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "_tree", tree)

    @property
    def derivative(self) -> Expression:
        """f', a tree as well: exact, not a difference."""
        return _derivative_of(self)

    @property
    def tree(self) -> ast.expr:
        """The checked tree, which equal formulas share."""
        tree: ast.expr = vars(self)["_tree"]
        return tree

    def __call__(self, x: Any, library: Library) -> Any:
        """The value at ``x``, in the numbers of ``library``."""
        return _value(self.tree, x, library)


@lru_cache(maxsize=512)
def _read(text: str) -> tuple[ast.expr, str]:
    """The checked tree of a formula, and its canonical text: read once, for a study evaluates a few formulas
    thousands of times.
    """
    if len(text) > LONGEST:
        raise FormulaError(f"<{len(text)} characters>", f"at most {LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError(text, "a formula in x, such as x / (1 + exp(-x))") from None
    if _levels(tree) > DEEPEST:
        raise FormulaError(
            "<a formula of more levels>",
            f"at most {DEEPEST} signs, operators and functions in one another",
        )
    _check(tree)
    _check_numbers(tree)
    return tree, ast.unparse(tree)


@lru_cache(maxsize=512)
def _derivative_of(formula: Formula) -> Expression:
    return Expression(derivative_of(formula.tree) or ast.Constant(0))


@dataclass(frozen=True)
class Expression:
    """A tree of a formula's kind that nobody wrote, such as a derivative or a part of a formula."""

    tree: ast.expr

    def __call__(self, x: Any, library: Library) -> Any:
        """The value at ``x``, in the numbers of ``library``."""
        return _value(self.tree, x, library)


def _levels(tree: ast.AST) -> int:
    """Levels of a tree, found without recursion."""
    levels, nodes = 0, [tree]
    while nodes:
        nodes = [
            child for node in nodes for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)
        ]
        levels += 1
    return levels


def _check_numbers(tree: ast.expr) -> None:
    """Refuse numbers that leave the range of float64 on the way."""
    for node in _without_x(tree):
        try:
            value = abs(float(_value(node, 0.0, PLAIN)))
        except (ArithmeticError, ValueError, TypeError):
            value = _LARGEST * 2
        if not value <= _LARGEST:
            raise FormulaError(ast.unparse(node), f"real numbers up to {_LARGEST:g}")


def _without_x(node: ast.expr) -> Iterator[ast.expr]:
    """The largest parts in which there is no x."""
    parts = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    if not has_x(node):
        yield node
        return
    for part in parts:
        if not (isinstance(node, ast.Call) and part is node.func):
            yield from _without_x(part)


def _check(node: ast.expr) -> None:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            if abs(number) > _LARGEST:
                raise FormulaError(_short(node), f"real numbers up to {_LARGEST:g}")
        case ast.Name(id=name):
            listed = "x, pi, numbers, and " + ", ".join(FUNCTIONS)
            if name in FUNCTIONS:
                raise FormulaError(name, f"an argument, as in {name}(x)")
            if name not in ("x", *CONSTANTS):
                raise FormulaError(name, *meant(name, ("x", *CONSTANTS), listed))
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            _check(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            _check(left)
            if constant(right) is None or abs(constant(right) or 0.0) > _LARGEST_POWER:
                raise FormulaError(
                    _short(node), f"a power with a number up to {_LARGEST_POWER} as its exponent"
                )
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            _check(left)
            _check(right)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            if name not in FUNCTIONS:
                raise FormulaError(
                    name, *meant(name, FUNCTIONS, "one of the functions " + ", ".join(FUNCTIONS))
                )
            _check(argument)
        case ast.BinOp(op=ast.BitXor()):
            raise FormulaError(_short(node), "powers written with **")
        case ast.Attribute(attr=name) | ast.Call(func=ast.Attribute(attr=name)) if name in FUNCTIONS:
            raise FormulaError(_short(node), f"{name} alone, without what stands before the point")
        case _:
            raise FormulaError(_short(node), "x, pi, numbers, + - * / **, and functions of one argument")


def _short(node: ast.expr) -> str:
    try:
        return ast.unparse(node)
    except ValueError:
        return "<a number of hundreds of digits>"


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
            exponent = constant(right)
            assert exponent is not None
            whole = int(exponent) if exponent == int(exponent) else library.number(exponent)
            return _value(left, x, library) ** whole
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_value(left, x, library), _value(right, x, library))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return library.functions[name](_value(argument, x, library))
    raise AssertionError(ast.unparse(node))


PLAIN = Library({name: getattr(math, {"abs": "fabs"}.get(name, name)) for name in FUNCTIONS}, float, math.pi)
"""Numbers of Python: overflow is an error."""
