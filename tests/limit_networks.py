"""Networks that laws are held against: uneven and even widths, both shapings, all signs of slopes, every activation, formulas,
residual networks, one to three inputs, variances from 1e-3 to 1e4 and correlations up to the ends.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deeplimits.activations import SMOOTH, Activation, Identity, OrnsteinUhlenbeck, ReluLike, Smooth
from deeplimits.networks.network import Gram, Network, Shaping

FORMULAS = ("x + x**3 / (3 + 3 * x**2)", "x / sqrt(1 + x**2) + 0.1 * x**2 / (1 + x**2)")
SLOPES = ((0.0, -1.0), (0.5, -0.5), (-0.3, 0.6), (0.0, -1.6), (-2.0, 2.0), (0.4, 0.4), (1.0, -2.5))
CORRELATIONS = (-1.0, -0.9, 0.0, 0.3, 0.999999, 1.0)
VARIANCES = (1e-3, 0.5, 1.0, 2.0, 1e4)


def pair(rho: float, first: float = 1.0, second: float = 1.0) -> Gram:
    """The Gram matrix of two inputs."""
    between = rho * float(np.sqrt(first * second))
    return ((first, between), (between, second))


def triple(rhos: tuple[float, float, float], scale: float = 1.0) -> Gram:
    """The Gram matrix of three inputs of one norm."""
    one, two, three = rhos
    matrix = np.array([[1.0, one, two], [one, 1.0, three], [two, three, 1.0]]) * scale
    return tuple(tuple(map(float, row)) for row in matrix)


def named() -> Iterator[tuple[str, Network]]:
    """Networks, each with a name of its own."""
    half = Shaping("width", 0.5)
    for rho in CORRELATIONS:
        yield f"relu p=0 rho={rho}", Network(ReluLike(), 32, 24, pair(rho))
        yield f"relu p=1/2 rho={rho}", Network(ReluLike(), 32, 24, pair(rho), shaping=half)
        yield f"tanh p=1/2 rho={rho}", Network(Smooth.of("tanh"), 32, 24, pair(rho), shaping=half)
        yield f"resnet relu rho={rho}", Network(ReluLike(), 24, 32, pair(rho), architecture="resnet")
        yield f"resnet tanh rho={rho}", Network(Smooth.of("tanh"), 24, 20, pair(rho), architecture="resnet")
    for plus, minus in SLOPES:
        for exponent in (0.0, 0.3, 0.5, 1.0):
            shaping = Shaping("width", exponent) if exponent else None
            yield (
                f"slopes {plus}, {minus} p={exponent}",
                Network(ReluLike(plus, minus), 24, 20, pair(0.3, 1.0, 2.0), shaping=shaping),
            )
    for name in SMOOTH:
        yield f"{name} p=0", Network(Smooth.of(name, 1.0), 40, 6, pair(0.2, 0.5, 0.5))
        yield f"{name} p=1/2", Network(Smooth.of(name, 1.0, 0.4), 40, 30, pair(0.2), shaping=half)
        yield (
            f"resnet {name}",
            Network(Smooth.of(name), 32, 16, pair(0.2, 1.0, 3.0), architecture="resnet", branch_exponent=0.5),
        )
    for formula in FORMULAS:
        yield f"{formula} p=0", Network(Smooth.of(formula), 32, 8, pair(0.5))
        yield (
            f"{formula} p=1/4",
            Network(Smooth.of(formula), 32, 16, pair(0.5), shaping=Shaping("width", 0.25)),
        )
        yield (
            f"{formula} by depth",
            Network(Smooth.of(formula), 24, 36, pair(0.5), shaping=Shaping("depth", 0.5)),
        )
        yield f"resnet {formula}", Network(Smooth.of(formula), 24, 12, pair(0.5), architecture="resnet")
    yield "relu by depth", Network(ReluLike(0.5, -1.5), 40, 20, pair(0.1), shaping=Shaping("depth", 0.5))
    yield "linear", Network(Identity(), 24, 30, pair(-0.5))
    yield "linear rho=-1", Network(Identity(), 24, 30, pair(-1.0))
    widths = (8, 16, 32, 64) * 6
    for exponent in (0.0, 0.25, 0.5, 1.0):
        for name, phi in (
            ("relu", ReluLike(0.5, -0.5)),
            ("tanh", Smooth.of("tanh")),
            ("softplus", Smooth.of("softplus")),
        ):
            shaping = Shaping("width", exponent) if exponent else None
            yield f"uneven {name} p={exponent}", Network(phi, widths, 24, pair(0.3), shaping=shaping)
    yield "uneven linear", Network(Identity(), (10, 40, 20, 80) * 4, 16, pair(0.6))
    blocks = (16,) * 16 + (64,) * 16
    yield "blocks relu", Network(ReluLike(0.0, -1.0), blocks, 32, pair(0.3), shaping=half)
    yield (
        "blocks relu by depth",
        Network(ReluLike(1.0, -1.0), blocks, 32, pair(0.3), shaping=Shaping("depth", 0.5)),
    )
    yield (
        "blocks tanh p=1/4",
        Network(Smooth.of("tanh"), blocks, 32, pair(0.3), shaping=Shaping("width", 0.25)),
    )
    yield (
        "blocks softplus by depth",
        Network(Smooth.of("softplus"), blocks, 32, pair(0.3), shaping=Shaping("depth", 0.5)),
    )
    for variance in VARIANCES:
        for name, phi in (
            ("relu", ReluLike()),
            ("tanh", Smooth.of("tanh")),
            ("softplus", Smooth.of("softplus", 1.0, 1.0)),
        ):
            gram = pair(0.4, variance, variance)
            yield f"{name} p=1/2 V={variance}", Network(phi, 48, 16, gram, shaping=half)
            yield f"resnet {name} V={variance}", Network(phi, 32, 16, gram, architecture="resnet")
    for phi in (ReluLike(), Smooth.of("tanh"), Smooth.of("silu")):
        label = "relu" if isinstance(phi, ReluLike) else phi.formula
        yield f"one input {label}", Network(phi, 24, 24, ((2.0,),), shaping=half)
        yield f"three inputs {label}", Network(phi, 24, 12, triple((0.5, -0.2, 0.3)), shaping=half)
        yield f"three inputs equal {label}", Network(phi, 24, 12, triple((1.0, 0.4, 0.4)), shaping=half)
        yield f"three inputs antipodal {label}", Network(phi, 24, 12, triple((-1.0, 0.4, -0.4)), shaping=half)
        yield (
            f"resnet b=0 {label}",
            Network(phi, 64, 6, pair(0.4), architecture="resnet", branch_exponent=0.0),
        )
        yield f"resnet one unit {label}", Network(phi, 1, 64, ((1.0,),), architecture="resnet")
        yield (
            f"resnet from a number {label}",
            Network(phi, 4, 64, ((0.25,),), architecture="resnet", start=0.5),
        )
        yield (
            f"resnet one unit from a number {label}",
            Network(phi, 1, 64, ((1.0,),), architecture="resnet", start=1.0),
        )
    yield "resnet three inputs", Network(ReluLike(), 24, 24, triple((0.5, -1.0, -0.5)), architecture="resnet")
    yield "resnet linear", Network(Identity(), 8, 32, ((1.0,),), architecture="resnet")
    yield "resnet linear pair", Network(Identity(), 8, 32, pair(0.4), architecture="resnet")
    yield "resnet leaky", Network(ReluLike(0.0, -0.9), 16, 48, pair(-0.9), architecture="resnet")
    steep = Shaping("width", 0.2)
    yield "arctan p=1/5", Network(Smooth.of("arctan"), 64, 32, pair(0.6), shaping=steep)
    yield "uneven sin p=1/5", Network(Smooth.of("sin"), widths, 24, pair(-0.4), shaping=steep)
    exotic = OrnsteinUhlenbeck(0.75, -0.5)
    yield "resnet exotic", Network(exotic, 1, 64, ((1.0,),), architecture="resnet")
    yield "resnet exotic from a number", Network(exotic, 1, 64, ((1.0,),), architecture="resnet", start=1.0)
    for rho in (0.3, 0.9, 1.0, -1.0):
        given = pair(rho)
        yield f"layer norm rho={rho}", Network(ReluLike(1.0, -1.0), 48, 32, given, 0, half, "layer_norm_mlp")
        yield f"RMS norm rho={rho}", Network(ReluLike(0.5, -0.5), 40, 30, given, 0, half, "rms_norm_mlp")
        yield f"pre-norm rho={rho}", Network(ReluLike(), 64, 32, given, architecture="pre_norm_resnet")
    yield (
        "layer norm uneven",
        Network(ReluLike(0.5, -1.0), (32,) * 16 + (64,) * 16, 32, pair(0.2), 0, half, "layer_norm_mlp"),
    )
    yield "layer norm linear", Network(Identity(), 24, 30, pair(0.5), architecture="layer_norm_mlp")
    yield (
        "pre-norm three inputs",
        Network(Identity(), 24, 24, triple((0.5, -0.2, 0.3)), architecture="pre_norm_resnet"),
    )
    yield "resnet exotic wide", Network(exotic, 8, 32, pair(0.2), architecture="resnet")


NETWORKS: dict[str, Network] = dict(named())

ANSWERED: dict[str, tuple[str, ...]] = {
    "correlation_sde": (
        "relu p=1/2 rho=0*",
        "slopes * p=0.5",
        "uneven relu p=0.5",
        "blocks relu*",
        "relu by depth",
    ),
    "matched_sde": (
        "relu p=1/2 V=*",
        "slopes * p=0.[35]",
        "slopes * p=1.0",
        "uneven relu p=0.25",
        "blocks relu*",
    ),
    "linear": ("linear*", "uneven linear", "slopes 0.4, 0.4 *", "tanh p=1/2 V=*", "uneven * p=1.0"),
    "correlation_ode": ("relu p=1/2 V=*", "slopes * p=0.[35]", "uneven relu p=0.25", "relu by depth"),
    "resnet_ode": (
        "resnet relu rho=*",
        "resnet tanh rho=*",
        "resnet x *",
        "resnet three inputs",
        "resnet leaky",
    ),
    "unshaped": ("relu p=0 *", "slopes 0.5, -0.5 p=0.0", "slopes -0.3, 0.6 p=0.0", "slopes 1.0, -2.5 p=0.0"),
    "unshaped_corrected": ("relu p=0 *", "slopes 0.0, -1.0 p=0.0"),
    "unshaped_entrance": ("relu p=0 *", "slopes 0.5, -0.5 p=0.0"),
    "ln24_theorem_4_1_printed": ("relu p=0 *",),
    "variance": ("relu p=[01]*", "slopes *", "linear*", "uneven relu *", "blocks relu*", "one input relu"),
    "smooth_variance": (
        "* p=1/2",
        "tanh p=1/2 V=*",
        "softplus p=1/2 V=*",
        "uneven softplus p=0.5",
        "x + * by depth",
    ),
    "smooth_quarter": ("uneven tanh p=0.25", "blocks tanh p=1/4"),
    "smooth_decay": ("arctan p=1/5", "uneven sin p=1/5"),
    "markov_chain": ("relu p=0 *",),
    "infinite_width": (
        "relu *",
        "tanh *",
        "slopes *",
        "* p=0",
        "uneven *",
        "blocks *",
        "three inputs *",
        "resnet relu *",
    ),
    "infinite_width_fluctuations": (
        "relu *",
        "tanh *",
        "slopes *",
        "* p=0",
        "uneven *",
        "blocks *",
        "three inputs *",
    ),
    "correlation_sde_euler": ("relu p=1/2 rho=0*", "slopes * p=0.5", "blocks relu"),
    "unshaped_euler": ("relu p=0 *",),
    "hayou_linear": ("resnet linear*",),
    "hayou_relu_n1": ("resnet one unit relu", "resnet one unit from a number relu"),
    "ornstein_uhlenbeck": ("resnet exotic", "resnet exotic from a number"),
    "hayou_quasi_gbm": ("resnet relu *", "resnet three inputs"),
    "h22_theorem_1_printed": ("resnet relu *",),
    "hayou_sde": (
        "resnet relu *",
        "resnet tanh*",
        "resnet x *",
        "resnet from a number *",
        "resnet exotic wide",
    ),
    "mckean_vlasov": (
        "resnet relu *",
        "resnet tanh*",
        "resnet x *",
        "resnet from a number *",
        "resnet exotic wide",
    ),
    "covariance_sde": (
        "relu p=1/2 *",
        "tanh p=1/2 *",
        "three inputs *",
        "* p=1/2",
        "linear*",
        "uneven * p=0.5",
    ),
    "neural_tangent_sde": ("slopes * p=0.5", "slopes * p=1.0", "relu by depth", "linear"),
    "matched_covariance_sde": ("slopes * p=0.[35]", "three inputs *", "x * p=1/4", "* p=1/2", "linear*"),
    "matched_variance": (
        "relu p=[01]*",
        "slopes *",
        "tanh p=1/2 *",
        "* p=1/2",
        "uneven tanh p=0.5",
        "one input *",
    ),
    "covariance_ode": (
        "relu p=1/2 *",
        "tanh p=1/2 *",
        "slopes * p=0.[35]",
        "uneven * p=0.5",
        "uneven * p=0.25",
    ),
    "ln24_eq_2_14_printed": ("resnet relu *", "resnet leaky"),
    "second_order_sde": (
        "relu p=1/2 rho=0*",
        "slopes 0.5, -0.5 p=0.5",
        "slopes 0.0, -1.0 p=1.0",
        "slopes 0.0, -1.0 p=0.5",
        "relu by depth",
    ),
    "linear_second_order": ("linear*", "uneven linear", "slopes 0.4, 0.4 *"),
    "exact": (
        "linear*",
        "uneven *linear",
        "relu p=1/2 rho=0*",
        "slopes * p=0.[35]",
        "slopes * p=1.0",
        "uneven relu *",
        "blocks relu*",
        "relu by depth",
    ),
    "layer_norm_sde": ("layer norm rho=0*", "layer norm uneven"),
    "matched_layer_norm_sde": ("layer norm rho=0*", "layer norm uneven"),
    "pre_norm_ode": ("pre-norm *",),
    "exact_variance": (
        "relu p=*",
        "slopes *",
        "tanh p=*",
        "linear*",
        "uneven relu *",
        "uneven linear",
        "blocks *",
        "one input *",
        "three inputs *",
        "* by depth",
    ),
    "gradient_growth": ("relu *", "tanh *", "slopes *", "* p=0", "uneven *", "blocks *", "resnet relu *"),
}
"""Networks that each limit is for, by patterns of their names: none of them may be refused."""


def family_of(activation: Activation) -> str:
    """The class of an activation."""
    return type(activation).__name__
