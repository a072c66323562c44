"""Names of activations that are used elsewhere: which are names of one that is built in, and what to do about
those of other functions. No function is ever proposed in place of another.
"""

from __future__ import annotations

from collections.abc import Sequence

from deeplimits.activations import SMOOTH
from deeplimits.errors import nearest_function

ACTIVATION_NAMES = ("relu", "leaky_relu", "identity", *SMOOTH, "expression", "ornstein_uhlenbeck")
"""Names of those that are built in."""

SAME = {
    "abs": "relu, c_minus: -2.0",
    "absolute": "relu, c_minus: -2.0",
    "atan": "arctan",
    "expit": "sigmoid",
    "id": "identity",
    "leaky": "leaky_relu",
    "lin": "identity",
    "linear": "identity",
    "logistic": "sigmoid",
    "lrelu": "leaky_relu",
    "none": "identity",
    "ramp": "relu",
    "rectifier": "relu",
    "sigm": "sigmoid",
    "sine": "sin",
    "siren": "sin",
    "swish": "silu",
}
"""The same function under the name that it has here, and what else is written with it."""

FORMULAS = {
    "arcsinh": "asinh(x)",
    "asinh": "asinh(x)",
    "bentidentity": "(sqrt(x**2 + 1) - 1)/2 + x",
    "cloglog": "1 - exp(-exp(x))",
    "cos": "cos(x)",
    "cosine": "cos(x)",
    "erfc": "erfc(x)",
    "exp": "exp(x)",
    "exponential": "exp(x)",
    "fastgelu": "x/(1 + exp(-1.702*x))",
    "gaussian": "exp(-x**2)",
    "gelunew": "x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))/2",
    "gelutanh": "x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))/2",
    "gompertz": "exp(-exp(-x))",
    "lecuntanh": "1.7159*tanh(2*x/3)",
    "lisht": "x*tanh(x)",
    "logsigmoid": "-log(1 + exp(-x))",
    "mish": "x*tanh(log(1 + exp(x)))",
    "quickgelu": "x/(1 + exp(-1.702*x))",
    "serf": "x*erf(log(1 + exp(x)))",
    "sinh": "sinh(x)",
    "snake": "x + sin(x)**2",
    "squareplus": "(x + sqrt(x**2 + 4))/2",
    "tanhexp": "x*tanh(exp(x))",
    "tanhshrink": "x - tanh(x)",
    "telu": "x*tanh(exp(x))",
}
"""Other smooth functions, as formulas."""

_BENT = "it is bent at a point, and only relu may be"
_UNBOUNDED = "it is not defined, or not smooth, on the whole line"
_MANY = "it is no function of one number"
NONE = {
    "aconc": "its parameters are learnt",
    "acos": _UNBOUNDED,
    "acosh": _UNBOUNDED,
    "arccos": _UNBOUNDED,
    "arcsin": _UNBOUNDED,
    "arctanh": _UNBOUNDED,
    "asin": _UNBOUNDED,
    "atanh": _UNBOUNDED,
    "celu": _BENT,
    "cosh": "its slope at 0 is 0",
    "crelu": _MANY,
    "elu": _BENT,
    "geglu": _MANY,
    "glu": _MANY,
    "hardshrink": _BENT,
    "hardsigmoid": _BENT,
    "hardsilu": _BENT,
    "hardswish": _BENT,
    "hardtanh": _BENT,
    "heaviside": "it has no slope",
    "log": _UNBOUNDED,
    "logsoftmax": _MANY,
    "maxout": _MANY,
    "pelu": "its parameters are learnt",
    "prelu": "its slope is learnt; for a slope that is given, leaky_relu",
    "reglu": _MANY,
    "relu2": _BENT,
    "relu6": _BENT,
    "relun": _BENT,
    "rrelu": "its slope is random; for a slope that is given, leaky_relu",
    "selu": _BENT,
    "shilu": "its parameters are learnt",
    "sign": "it has no slope",
    "silu6": _BENT,
    "softmax": _MANY,
    "softmin": _MANY,
    "softshrink": _BENT,
    "softsign": _BENT,
    "sparsemax": _MANY,
    "sqrt": _UNBOUNDED,
    "squaredrelu": _BENT,
    "step": "it has no slope",
    "swiglu": _MANY,
    "tan": _UNBOUNDED,
    "threshold": _BENT,
    "thresholdedrelu": _BENT,
}
"""Functions that cannot be written here, and why."""

EXPRESSION = "{name: expression, expression: FORMULA}"


def expected_instead(found: str, names: Sequence[str]) -> tuple[str, str | None]:
    """What to write for a name that is not one of ``names``, in words, and the name of the same function or
    of which it is a likely slip.
    """
    plain = "".join(letter for letter in found.lower() if letter.isalnum())
    listed = ", ".join(names)
    others = f"one of {listed}; any other smooth function is {EXPRESSION}"
    if plain in FORMULAS:
        formula = EXPRESSION.replace("FORMULA", f"'{FORMULAS[plain]}'")
        return f"{formula}, since {found} is not built in", None
    if plain in NONE:
        return f"one of {listed}; {found} is not supported: {NONE[plain]}", None
    if plain in SAME:
        written = SAME[plain]
        return (f"{{name: {written}}}, the same function", None) if ":" in written else (others, written)
    near = nearest_function(found, [*names, *SAME, *FORMULAS, *NONE])
    return others, near if near in names else SAME.get(near or "")
