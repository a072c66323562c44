"""How steep a formula is in x, and the same formula stretched: f(x / k)."""

from __future__ import annotations

import ast

from deeplimits.formula_derivatives import has_x
from deeplimits.formulas import PLAIN, Formula


def steepness(formula: Formula) -> tuple[float, ...]:
    """Sizes of the numbers that x is multiplied by in the formula, largest first."""
    found = {abs(factor) for node in ast.walk(formula.tree) if (factor := _factor(node)) is not None}
    return tuple(sorted(found, reverse=True))


def stretched(formula: Formula, factor: float) -> Formula:
    """f(x / factor)."""
    tree = _Stretch(factor).visit(ast.parse(formula.text, mode="eval").body)
    return Formula(ast.unparse(ast.fix_missing_locations(tree)))


class _Stretch(ast.NodeTransformer):
    """Puts x / factor in the place of x."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def visit(self, node: ast.AST) -> ast.AST:
        factor = 1.0 if _is_x(node) else _factor(node)
        return super().visit(node) if factor is None else _times_x(factor / self.factor)


def _times_x(factor: float) -> ast.expr:
    """factor · x, as one would write it."""
    x: ast.expr = ast.Name("x", ast.Load())
    if abs(factor) == 1:
        return x if factor > 0 else ast.UnaryOp(ast.USub(), x)
    if abs(factor) < 1 and abs(1 / factor - round(1 / factor)) < 1e-9:
        x = ast.BinOp(x, ast.Div(), ast.Constant(round(1 / abs(factor))))
        return x if factor > 0 else ast.UnaryOp(ast.USub(), x)
    number = ast.Constant(round(abs(factor)) if float(factor).is_integer() else abs(factor))
    return ast.BinOp(number if factor > 0 else ast.UnaryOp(ast.USub(), number), ast.Mult(), x)


def _is_x(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "x"


def _factor(node: ast.AST) -> float | None:
    """k where the node is k x, with a number k other than 0."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            factor = 1.0 if _is_x(operand) else _factor(operand)
            return None if factor is None else -factor
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            left, right = (right, left) if _plain_value(left) is None else (left, right)
            factor = 1.0 if _is_x(right) else _factor(right)
            number = _plain_value(left)
            return None if factor is None or number is None else number * factor
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            factor = 1.0 if _is_x(left) else _factor(left)
            number = _plain_value(right)
            return None if factor is None or number is None else factor / number
    return None


def _plain_value(node: ast.expr) -> float | None:
    return None if has_x(node) else float(Formula(ast.unparse(node))(0.0, PLAIN)) or None
