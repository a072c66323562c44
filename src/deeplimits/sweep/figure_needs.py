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
    joint
        Whether the limit has to know all inputs together.
    """

    observable: str
    limit: str | None = None
    at: Literal["all", "last"] = "last"
    kinds: tuple[int, ...] = (0,)
    distance: str | None = None
    joint: bool = False


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

    def __post_init__(self) -> None:
        for compared in self.compared:
            if max(compared.kinds, default=0) >= len(self.kinds):
                raise ValueError(
                    f"{compared.observable} is compared for a kind of networks that is not there"
                )


RELU: Mapping[str, Condition] = {"activation": "relu", "c_plus": 0.0, "c_minus": -1.0}
TANH: Mapping[str, Condition] = {"activation": "tanh", "a": 1.0, "center": 0.0}
SYMMETRIC: Mapping[str, Condition] = {"activation": "relu", "slopes_apart": 1.0}
WIDE: Mapping[str, Condition] = {"recursion": "plain", "one_width": True, "last_recorded": True}
PAIR: Mapping[str, Condition] = {"inputs": AtLeast(2)}
RESNET: Mapping[str, Condition] = {"recursion": "residual", "branch_exponent": 0.5, "last_recorded": True}
ONE_INPUT: Mapping[str, Condition] = {"norm": 1.0}
FROM_ZERO: Mapping[str, Condition] = {"first_recorded": True}
UNSHAPED: Mapping[str, Condition] = {**WIDE, **RELU, "exponent": 0.0, **PAIR}
SHAPED: Mapping[str, Condition] = {**WIDE, "shaped_by": "width", **PAIR}
SQUARE: Mapping[str, Condition] = {"depth_over_width": 1.0}
ONCE = (1, 1)
MANY = (1, 1000)
PHASE: Mapping[str, Condition] = {
    **SHAPED,
    "activation": "relu",
    "slopes_apart": AtLeast(1e-6),
    "depth_over_width": AtLeast(0.0),
}
SIZES: Mapping[str, tuple[int, int]] = {"width": (2, 30), "depth_over_width": (2, 30)}
MARKERS = 8
"""Series that one panel tells apart by its markers."""
