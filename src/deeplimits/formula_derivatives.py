"""Derivatives of formulas: trees of the same kind, exact."""

from __future__ import annotations

import ast
from collections.abc import Callable

SIGN = "sign"
"""A function that only derivatives call: |x|' is the sign of x. Libraries hold it beside ``FUNCTIONS``."""


def has_x(node: ast.expr) -> bool:
    """Whether there is an x in a tree."""
    return any(isinstance(each, ast.Name) and each.id == "x" for each in ast.walk(node))


def constant(node: ast.expr) -> float | None:
    """The number that a node is, with its sign; None where it is none."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -float(number)
    return None


def derivative_of(node: ast.expr) -> ast.expr | None:
    """The derivative of a tree by its x; None where there is no x in it."""
    match node:
        case ast.Constant():
            return None
        case ast.Name(id=name):
            return ast.Constant(1) if name == "x" else None
        case ast.UnaryOp(op=op, operand=operand):
            inner = derivative_of(operand)
            return None if inner is None else ast.UnaryOp(op, inner)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            exponent, inner = constant(right), derivative_of(left)
            assert exponent is not None
            if inner is None or exponent == 0:
                return None
            lowered = left if exponent == 2 else ast.BinOp(left, ast.Pow(), ast.Constant(exponent - 1))
            return inner if exponent == 1 else _times(_times(ast.Constant(exponent), lowered), inner)
        case ast.BinOp(left=left, op=op, right=right):
            return _derivative_of_binary(left, op, right)
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            inner = derivative_of(argument)
            return None if inner is None else _times(_SLOPES[name](argument, node), inner)
    raise AssertionError(ast.unparse(node))


def _derivative_of_binary(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.expr | None:
    first, second = derivative_of(left), derivative_of(right)
    match op:
        case ast.Add() | ast.Sub():
            if first is None:
                return (
                    second if second is None or isinstance(op, ast.Add) else ast.UnaryOp(ast.USub(), second)
                )
            return first if second is None else ast.BinOp(first, op, second)
        case ast.Mult():
            one, other = first and _times(first, right), second and _times(left, second)
            return ast.BinOp(one, ast.Add(), other) if one and other else one or other
    over = ast.BinOp(first, ast.Div(), right) if first else None
    if second is None:
        return over
    # (a / b)' = a' / b − (a / b) (b' / b), which overflows no earlier than a / b does
    under = _times(ast.BinOp(left, ast.Div(), right), ast.BinOp(second, ast.Div(), right))
    return ast.BinOp(over, ast.Sub(), under) if over else ast.UnaryOp(ast.USub(), under)


def _times(left: ast.expr, right: ast.expr) -> ast.expr:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, ast.Constant) and one.value == 1:
            return other
    return ast.BinOp(left, ast.Mult(), right)


def _call(name: str, argument: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name), [argument], [])


def _over(numerator: float, denominator: ast.expr) -> ast.expr:
    return ast.BinOp(ast.Constant(numerator), ast.Div(), denominator)


def _square(node: ast.expr) -> ast.expr:
    return ast.BinOp(node, ast.Pow(), ast.Constant(2))


def _one(op: ast.operator, node: ast.expr) -> ast.expr:
    return ast.BinOp(ast.Constant(1), op, node)


def _normal(sign: float, argument: ast.expr) -> ast.expr:
    """± (2/√π) exp(−x²)."""
    density = _call("exp", ast.UnaryOp(ast.USub(), _square(argument)))
    return ast.BinOp(_over(2.0 * sign, _call("sqrt", ast.Name("pi"))), ast.Mult(), density)


_SLOPES: dict[str, Callable[[ast.expr, ast.expr], ast.expr]] = {
    "exp": lambda x, value: value,
    "log": lambda x, _: _over(1, x),
    "sqrt": lambda _, value: _over(0.5, value),
    "abs": lambda x, _: _call(SIGN, x),
    "sin": lambda x, _: _call("cos", x),
    "cos": lambda x, _: ast.UnaryOp(ast.USub(), _call("sin", x)),
    "tan": lambda _, value: _one(ast.Add(), _square(value)),
    "sinh": lambda x, _: _call("cosh", x),
    "cosh": lambda x, _: _call("sinh", x),
    # not 1 − tanh², which cancels
    "tanh": lambda x, _: _square(_over(1, _call("cosh", x))),
    "asin": lambda x, _: _over(1, _call("sqrt", _one(ast.Sub(), _square(x)))),
    "acos": lambda x, _: _over(-1, _call("sqrt", _one(ast.Sub(), _square(x)))),
    "atan": lambda x, _: _over(1, _one(ast.Add(), _square(x))),
    "asinh": lambda x, _: _over(1, _call("sqrt", _one(ast.Add(), _square(x)))),
    "atanh": lambda x, _: _over(1, _one(ast.Sub(), _square(x))),
    "erf": lambda x, _: _normal(1.0, x),
    "erfc": lambda x, _: _normal(-1.0, x),
}
"""F'(x) from x and F(x) as trees."""
