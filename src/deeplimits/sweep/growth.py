"""The mean growth that a study asks for: of which networks, and whether its depths and times fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deeplimits.errors import InputError
from deeplimits.networks.network import Network
from deeplimits.sweep.models import GrowthModel
from deeplimits.sweep.points import Point


def scaled_growth(model: GrowthModel | None, scale: int) -> GrowthModel | None:
    """With ``scale`` times as many samples."""
    return model and model.model_copy(update={"samples": model.samples * scale})


def growing(points: Sequence[Point]) -> list[Network]:
    """One network for each law of the growth at infinite depth: the piecewise-linear residual ones of the
    study with a Gaussian layer 0 and branches scaled by d^{-1/2}, whatever their depth and inputs.
    """
    networks = [
        replace(point.network, depth=1, gram=((1.0,),))
        for point in points
        if "branch_exponent" in point.network.kind.keys
        and point.network.piecewise_linear
        and point.network.branch_exponent == 0.5
        and point.network.start is None
    ]
    return list(dict.fromkeys(networks))


def check_growth(growth: GrowthModel, points: Sequence[Point], where: Path) -> None:
    """Refuse depths and times that have no common layers, and studies without a network that grows.

    Raises
    ------
    InputError
        If so.
    """
    if not growing(points):
        expected = "a ReLU-like or linear residual network with branch_exponent 0.5 that has an input"
        raise InputError(where, "growth", "<no such network>", expected)
    finest = max(growth.depths)
    for index, depth in enumerate(growth.depths):
        if finest % depth or depth in growth.depths[:index]:
            raise InputError(where, f"growth.depths.{index}", depth, f"different divisors of {finest}")
    for index, time in enumerate(growth.times):
        for depth in growth.depths:
            if abs(time * depth - round(time * depth)) > 1e-9:
                expected = f"a whole number of layers of depth {depth}"
                raise InputError(where, f"growth.times.{index}", time, expected)
