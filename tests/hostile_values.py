"""Values, texts and formulas that a stranger might write into a file, by chance."""

from __future__ import annotations

from typing import Any

import numpy as np

# fmt: off
NUMBERS: tuple[Any, ...] = (
    0, 1, 2, 3, 7, 8, 9, 63, 64, 200, 201, 10_000, 65536, 10**6, 2**31 - 1, 2**31, 2**40, 2**53, 2**63 - 1,
    2**63, *(2**64, 10**18, 10**30, 10**299, 10**300, 10**310, -1, -2, -(2**31), -(2**63), -(10**300)),
    0.0, -0.0, 0.1, 0.5, 1.5, 1e-3, 1e-9, 1e-16, 1e-30, 1e-160, 5e-324, 1e-308, 2.0**-149, 2.0**-126, 1e5,
    1e9, 1e15, 1e16, 1e38, 1e39, 1e100, 1e154, 1e155, 1e300, 1e307, 1.7976931348623157e308, float("inf"),
    float("nan"), -0.1, -0.5, -1.5, -1e-16, -1e9, -1e300, 0.9999999999999999, 1.0000000000000002, 1 / 3,
    31.0, 31.5, 32.0,
)
# fmt: on
# fmt: off
TEXTS: tuple[str, ...] = (
    "", " ", "x", "relu", "all", "null", "~", "none", "true", "yes", "0x10", "010", "1:30", "1_0", "1e3",
    "2020-01-01", "NaN", ".nan", "-.inf", "é", "größe", "Ж", "名前", "👩‍👩‍👧", "\u202eabc", "\u200b",
    "\ufeff", "\x00", "\x07", "\x1b[31mred", "\x7f", "\x85", "\u2028", "\ud7ff", "\uffff", "a\nb", "a\tb",
    "a" * 1000, "a" * 100_000, "𝓍" * 5000, "../../etc/passwd", "/etc/passwd", "/dev/zero", "/dev/null",
    "~root", "$(id)", "`id`", "%s%s%n", "{}", "{0.__class__}", "{{ x }}", "<b>", "-rf", "--help", "claims",
    "con", ".", "..", "a/b", "a\\b", "'", '"', "correlation_0_7", "log_variance_99999999999",
    "correlation_-1_0", "log_variance_0_0_0", "correlation_" + "9" * 5000, "activation", "x" * 251,
    "\u0301" * 300,
)
# fmt: on
# fmt: off
FORMULAS = (
    "tanh(x)", "x", "sin(x)", "log(1+exp(10*x))/10", "x/(1+exp(-x))", "x/(1+exp(-50*x))", "atan(5*x)",
    "x*tanh(exp(x))", "exp(-exp(-x))", "1-exp(-exp(x))", "sin(exp(x))", "x+sin(100*x)/100", "erf(1e6*x)",
    "x*exp(-x**2)", "sinh(x)", "x**3", "sqrt(x**2+1e-300)", "sqrt(1+x**2)-1+x", "x+1e-12*sin(1e12*x)",
    "tan(x)", "asin(x)", "abs(x)", "log(x)", "1/x", "0*x", "x-x", "1e300*x", "1e-300*x", "x*1e-320",
    "acos(x/1e9)", "atanh(x/1e3)", "sin(1/(1e-9+x**2))",
)
# fmt: on
# fmt: off
FUNCTIONS = (
    "exp", "log", "sqrt", "abs", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "atan", "asinh",
    "erf", "erfc",
)
# fmt: on


class Draw:
    """What is drawn for one file."""

    def __init__(self, seed: int):
        self.random = np.random.default_rng([20261128, seed])

    def one(self, values: Any) -> Any:
        """One of some values, each as likely."""
        return values[int(self.random.integers(len(values)))]

    def chance(self, probability: float) -> bool:
        """Whether something happens."""
        return bool(self.random.random() < probability)

    def number(self) -> Any:
        """A number, mostly one that is near some bound."""
        if self.chance(0.7):
            return self.one(NUMBERS)
        size = 10.0 ** self.random.uniform(-320, 308)
        return self.one((size, -size, int(min(size, 1e300)), round(float(self.random.normal()), 3)))

    def formula(self, depth: int = 4) -> str:
        """A formula of the grammar, now and then with a slip of the pen."""
        if self.chance(0.02):
            return str(
                self.one(
                    ("y", "np.tanh(x)", "x^2", "lambda x: x", "__import__('os')", "x if x else 1", "(x", "x)")
                )
            )
        if depth == 0 or self.chance(0.15):
            return str(
                self.one(("x", "x", "x", "x", "pi", f"{self.number()}", f"{self.random.normal():.3g}"))
            )
        part = self.one(("call", "call", "call", "binary", "binary", "binary", "power", "sign", "times"))
        inner = self.formula(depth - 1)
        if part == "call":
            return f"{self.one(FUNCTIONS)}({inner})"
        if part == "binary":
            return f"({inner} {self.one('+-*/+*')} {self.formula(depth - 1)})"
        if part == "power":
            return f"({inner})**{self.one((2, 3, 0.5, -1, -2, 64, 65, 1.5, '(-0.5)', 0, 1e300))}"
        return f"-{inner}" if part == "sign" else f"{self.one((0.1, 3, 10, 1e3, 1e8))}*({inner})"

    def value(self, depth: int = 3) -> Any:
        """Anything that YAML can hold."""
        kind = self.one(("number", "number", "text", "text", "other", "list", "mapping"))
        if kind == "number":
            return self.number()
        if kind == "text":
            return self.one(TEXTS)
        if kind == "other" or depth == 0:
            return self.one((None, True, False, [], {}, [[]], [None], {"": None}))
        if kind == "list":
            value = self.value(depth - 1)
            return self.one(
                ([value], [value, value], [value, self.value(depth - 1)], [[value]], [value] * 40)
            )
        return {
            str(self.one((*TEXTS[:40], "name", "a", "by"))): self.value(depth - 1)
            for _ in range(self.one((1, 2, 5)))
        }
