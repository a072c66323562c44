"""Names in formulas that are none here: functions by other names, and other functions as formulas."""

from __future__ import annotations

from deeplimits.errors import nearest_function

_SAME = {
    "absolute": "abs",
    "arccos": "acos",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctanh": "atanh",
    "fabs": "abs",
    "ln": "log",
    "tg": "tan",
    "th": "tanh",
}
"""Functions by other names."""
_WRITTEN = {
    "acosh": "",
    "acot": "",
    "acoth": "",
    "acsc": "",
    "arccosh": "",
    "asec": "",
    "cbrt": "",
    "ceil": "",
    "cot": "1/tan(x)",
    "coth": "1/tanh(x)",
    "csch": "1/sinh(x)",
    "csc": "1/sin(x)",
    "e": "exp(1)",
    "erfi": "",
    "erfcx": "",
    "exp2": "exp(log(2)*x)",
    "expit": "1/(1 + exp(-x))",
    "expm1": "exp(x) - 1",
    "gelu": "x*(1 + erf(x/sqrt(2)))/2",
    "log10": "log(x)/log(10)",
    "log1p": "log(1 + x)",
    "log2": "log(x)/log(2)",
    "max": "",
    "min": "",
    "pow": "x**2, say",
    "relu": "",
    "sec": "1/cos(x)",
    "sech": "1/cosh(x)",
    "sgn": "",
    "sigmoid": "1/(1 + exp(-x))",
    "sign": "",
    "silu": "x/(1 + exp(-x))",
    "sinc": "",
    "softplus": "log(1 + exp(x))",
    "sqr": "x**2",
    "square": "x**2",
    "swish": "x/(1 + exp(-x))",
    "tau": "2*pi",
}
"""Other functions and numbers as formulas, where there is one; none is a slip of one that there is."""


def meant(name: str, known: tuple[str, ...], listed: str) -> tuple[str, str | None]:
    """What to write for a name that is not ``known``, in words, and the name that it is another spelling
    of, or a likely slip; ``listed`` are the words for all that are known.
    """
    if name in _WRITTEN:
        written = _WRITTEN[name]
        return f"{written}, since {name} is not built in" if written else listed, None
    found = _SAME.get(name, nearest_function(name, [*known, *_WRITTEN]))
    return listed, found if found in known else None
