"""What each figure needs of the study that it is drawn from, as data: it is checked when the study is read,
without importing a plotting library, by ``sweep.figures``.

A condition names a fact of a point, such as ``width``, and says which values it may have: one value, a tuple
of values, ``AtLeast`` or ``Between``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Numbers from ``low`` on."""

    low: float

    def __str__(self) -> str:
        return f"of {self.low:g} or more"


@dataclass(frozen=True, slots=True)
class Between:
    """Numbers above ``low`` and below ``high``."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"between {self.low:g} and {self.high:g}"


Condition = str | bool | float | tuple[float, ...] | AtLeast | Between


@dataclass(frozen=True, slots=True)
class Kind:
    """Networks that a figure shows: what is so of each of them, and in what they differ.

    Parameters
    ----------
    of
        Conditions by the name of a fact.
    differ
        Facts in which points of this kind differ, each with how many values there may be. No two agree in all
        of them, and nothing else differs, the depth excepted where it goes with the width.
    agree
        Where given, facts in which all agree; they may then differ in anything else.
    whole
        Whether every combination of those values has to be there.
    points
        How many points of this kind there may be in all.
    """

    of: Mapping[str, Condition] = field(default_factory=dict)
    differ: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    agree: tuple[str, ...] | None = None
    whole: bool = False
    points: tuple[int, int] = (1, 1_000_000)


@dataclass(frozen=True, slots=True)
class Compared:
    """An entry of ``compare``, the first of its observable and limit, that is about every point of a kind.

    Parameters
    ----------
    at
        ``all``: at every recorded layer; ``last``: at least at the last one.
    kinds
        Places of the kinds in ``Needs.kinds``.
    distance
        One of its distances.
    jointly
        Whether the limit has to know all inputs together.
    """

    observable: str
    limit: str | None = None
    at: Literal["all", "last"] = "last"
    kinds: tuple[int, ...] = (0,)
    distance: str | None = None
    jointly: bool = False


@dataclass(frozen=True, slots=True)
class Needs:
    """What a figure needs of a study.

    Parameters
    ----------
    kinds
        Every point of the study is of one of these kinds, and each kind is there; where there is none, any
        network will do.
    compared
        Entries of ``compare``.
    random
        Whether something has to be compared with a limit that is random, by its Kolmogorov distance.
    shown
        Layers at which what is compared first, or log_variance, is recorded, at least.
    growth
        Times that the key ``growth`` has to have, and at most how many.
    samples
        Networks at each point, at least.
    """

    kinds: tuple[Kind, ...] = ()
    compared: tuple[Compared, ...] = ()
    random: bool = False
    shown: int = 1
    growth: tuple[tuple[float, ...], int] | None = None
    samples: int = 1


_RELU: Mapping[str, Condition] = {"activation": "relu", "c_plus": 0.0, "c_minus": -1.0}
_TANH: Mapping[str, Condition] = {"activation": "tanh", "a": 1.0, "center": 0.0}
_SYMMETRIC: Mapping[str, Condition] = {"activation": "relu", "slopes_apart": 1.0}
_WIDE: Mapping[str, Condition] = {"architecture": "mlp", "one_width": True, "last_recorded": True}
_PAIR: Mapping[str, Condition] = {"inputs": AtLeast(2)}
_RESNET: Mapping[str, Condition] = {
    "architecture": "resnet",
    "branch_exponent": 0.5,
    "last_recorded": True,
}
_ONE_INPUT: Mapping[str, Condition] = {"norm": 1.0}
_FROM_ZERO: Mapping[str, Condition] = {"first_recorded": True}
_UNSHAPED: Mapping[str, Condition] = {**_WIDE, **_RELU, "exponent": 0.0, **_PAIR}
_SQUARE: Mapping[str, Condition] = {"depth_over_width": 1.0}
_ONCE = (1, 1)
_MANY = (1, 1000)
_PHASE: Mapping[str, Condition] = {
    **_WIDE,
    "activation": "relu",
    "shaped_by": "width",
    "slopes_apart": AtLeast(1e-6),
    "depth_over_width": AtLeast(0.0),
    **_PAIR,
}
_SIZES: Mapping[str, tuple[int, int]] = {"width": (2, 30), "depth_over_width": (2, 30)}
_MARKERS = 8
"""Series that one panel tells apart by its markers."""

NEEDS: dict[str, Needs] = {
    "lnr22_figure_1": Needs(
        kinds=(
            Kind({**_UNSHAPED, "records": AtLeast(2)}, points=_ONCE),
            Kind(
                {
                    **_WIDE,
                    **_RELU,
                    "exponent": 0.5,
                    "shaped_by": "width",
                    **_PAIR,
                    **_SQUARE,
                    "records": AtLeast(2),
                },
                points=_ONCE,
            ),
        ),
        compared=(
            Compared("correlation", "markov_chain", "all"),
            Compared("correlation", "infinite_width", "all"),
            Compared("correlation", "unshaped"),
            Compared("correlation", "correlation_sde", "all", (1,)),
            Compared("correlation", "correlation_sde_euler", kinds=(1,)),
            Compared("correlation", "matched_sde", "all", (1,)),
            Compared("correlation", "correlation_ode", "all", (1,)),
        ),
    ),
    "lnr22_figure_2": Needs(
        kinds=(
            Kind(
                {
                    **_WIDE,
                    "activation": "softplus",
                    "a": 1.0,
                    "exponent": 0.5,
                    "shaped_by": "width",
                    **_SQUARE,
                    **_ONE_INPUT,
                    "records": AtLeast(2),
                },
                differ={"width": (1, _MARKERS), "center": (2, 100)},
                whole=True,
            ),
        ),
    ),
    "lnr22_joint": Needs(
        kinds=(Kind({"inputs": AtLeast(3)}, points=_ONCE),),
        compared=(
            *(Compared(f"correlation{pair}") for pair in ("", "_0_2", "_1_2")),
            *(Compared(f"log_variance{one}") for one in ("", "_1", "_2")),
            Compared("correlation", "covariance_sde", jointly=True),
        ),
    ),
    "lnr22_critical_exponent": Needs(
        kinds=tuple(
            Kind(
                {**_WIDE, **of, "shaped_by": "width", **_PAIR, **_ONE_INPUT, **_SQUARE},
                differ={"exponent": (1, 20), "width": (1, 5)},
                whole=True,
            )
            for of in (_RELU, _TANH)
        ),
    ),
    "ln24_figure_1": Needs(
        kinds=(Kind({**_UNSHAPED, **_SQUARE}, points=_ONCE),),
        compared=tuple(
            Compared("rescaled_correlation", limit, distance="ks")
            for limit in ("unshaped", "unshaped_corrected", "ln24_theorem_4_1_printed", "unshaped_euler")
        ),
    ),
    "ln24_entrance": Needs(
        kinds=(
            Kind(
                {**_UNSHAPED, "records": AtLeast(3), "correlation": Between(-1.0, 1.0)},
                differ={"correlation": (1, 3)},
            ),
        ),
        compared=(
            Compared("rescaled_correlation", "unshaped_entrance", "all"),
            Compared("rescaled_correlation", "unshaped", "all"),
        ),
    ),
    "h22_figure_1": Needs(
        kinds=(
            Kind(
                {**_RESNET, **_RELU, "width": 1, "start": 1.0, **_FROM_ZERO, "records": AtLeast(2)},
                differ={"depth": (1, 5)},
            ),
        ),
        compared=(Compared("log_growth", "hayou_relu_n1", "all", distance="ks"),),
    ),
    "h22_figure_2": Needs(
        kinds=(Kind({"activation": "ornstein_uhlenbeck"}, agree=("alpha", "beta")),),
    ),
    "h22_figure_3": Needs(
        kinds=(
            Kind(
                {
                    **_RESNET,
                    "activation": "ornstein_uhlenbeck",
                    "alpha": 1.0,
                    "beta": 0.0,
                    "width": 1,
                    "start": 1.0,
                    "records": AtLeast(2),
                },
                differ={"depth": (1, 5)},
            ),
        ),
        compared=(Compared("ou_coordinate", "ornstein_uhlenbeck", "all", distance="ks"),),
    ),
    "h22_figure_4": Needs(
        kinds=(Kind({**_RESNET, **_RELU, "drawn": True}, differ={"width": (1, _MARKERS), "depth": (1, 20)}),),
    ),
    "h22_figure_5": Needs(
        kinds=(
            Kind(
                {**_RESNET, **_RELU, **_FROM_ZERO, "records": AtLeast(2)},
                differ={"width": (1, 10)},
            ),
        ),
        compared=(Compared("log_activation"),),
        samples=2,
    ),
    "h22_figure_6": Needs(
        kinds=(
            Kind(
                {**_RESNET, **_RELU, **_FROM_ZERO, "records": AtLeast(2), "drawn": True},
                differ={"width": (1, 100)},
            ),
        ),
        growth=((1.0,), 3),
    ),
    "h22_figure_7": Needs(
        kinds=(Kind({**_RESNET, **_PAIR, "records": AtLeast(2)}, points=_ONCE),),
        compared=(Compared("correlation", "resnet_ode", "all"),),
    ),
    "h22_figure_8": Needs(
        kinds=(
            Kind(
                {
                    "architecture": "resnet",
                    "branch_exponent": (0.5, 0.0),
                    **_RELU,
                    "gradients": True,
                    "records": AtLeast(2),
                },
                differ={"branch_exponent": (2, 2), "width": (1, 5)},
                whole=True,
            ),
        ),
        compared=(Compared("gradient_log_norm", "gradient_growth", "all"),),
    ),
    "h22_figure_13": Needs(
        kinds=(
            Kind(
                {**_RESNET, **_RELU, **_FROM_ZERO, "records": AtLeast(2)},
                differ={"width": (1, 10)},
            ),
        ),
        compared=(Compared("log_growth", "mckean_vlasov", "all"),),
    ),
    "ln24_ode_regime": Needs(
        kinds=(
            Kind(
                {
                    **_WIDE,
                    "activation": "relu",
                    "exponent": Between(0.0, 0.5),
                    "shaped_by": "width",
                    "depth_is_n_to_2p": True,
                    **_PAIR,
                    "records": AtLeast(2),
                },
                differ={"exponent": (1, 3), "width": (1, 100)},
            ),
        ),
        compared=(Compared("correlation", "correlation_ode", "all", distance="rms"),),
    ),
    "ln24_equivalence": Needs(
        kinds=(
            Kind(
                {
                    **_WIDE,
                    **_SYMMETRIC,
                    "exponent": Between(0.0, 0.5),
                    "shaped_by": "width",
                    **_PAIR,
                    **_ONE_INPUT,
                    "records": AtLeast(2),
                },
                points=_ONCE,
            ),
            Kind(
                {
                    **_WIDE,
                    **_SYMMETRIC,
                    "exponent": 0.5,
                    "shaped_by": "width",
                    **_PAIR,
                    **_ONE_INPUT,
                    "records": AtLeast(2),
                },
                points=_ONCE,
            ),
            Kind({**_RESNET, **_RELU, **_PAIR, **_ONE_INPUT, "records": AtLeast(2)}, points=_ONCE),
        ),
        compared=(
            Compared("correlation", "correlation_ode", "all"),
            Compared("correlation", "correlation_sde", "all", (1,)),
            Compared("correlation", "resnet_ode", "all", (2,)),
        ),
    ),
    "ln24_do_limits_commute": Needs(
        kinds=(
            Kind(
                {**_WIDE, "activation": "relu", "shaped_by": "depth", "exponent": 0.5, **_PAIR},
                differ={"width": (2, 20), "depth": (2, 20)},
                whole=True,
            ),
            Kind(
                {**_RESNET, **_RELU, **_PAIR},
                differ={"width": (2, 20), "depth": (2, 20)},
                whole=True,
            ),
        ),
        compared=(
            Compared("correlation", "correlation_ode", distance="rms"),
            Compared("correlation", "resnet_ode", kinds=(1,), distance="rms"),
        ),
    ),
    "phase_diagram": Needs(
        kinds=(
            Kind({**_PHASE, "exponent": Between(0.0, 0.5)}, differ={"exponent": _MANY, **_SIZES}, whole=True),
            Kind({**_PHASE, "exponent": 0.5}, differ=_SIZES, whole=True),
            Kind({**_PHASE, "exponent": Between(0.5, 1e6)}, differ={"exponent": _MANY, **_SIZES}, whole=True),
        ),
        compared=(
            Compared("correlation", "matched_sde", kinds=(0, 1, 2), distance="ks"),
            Compared("correlation", "correlation_ode", distance="rms"),
            Compared("correlation", "correlation_sde", kinds=(1,), distance="wasserstein"),
            Compared("correlation", "linear", kinds=(2,), distance="wasserstein"),
        ),
    ),
    "ks_against_width": Needs(random=True),
    "quantiles_against_time": Needs(shown=2),
    "law_against_limit": Needs(),
}
"""By the name of the figure."""
