"""Ordinary differential equations of limits that are numbers, solved to nearly all digits of float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deeplimits.array_types import Array


def solved(
    slope: Callable[[float, Array], Array],
    start: Sequence[float],
    times: Sequence[float],
    relative: float,
    absolute: float | Sequence[float],
) -> Array:
    """dy/dt = ``slope`` (t, y) from ``start`` at time 0, at ``times`` (ascending), [component, time].

    Parameters
    ----------
    relative, absolute
        Errors of a step that are taken, the latter of each component or of all.

    Raises
    ------
    ArithmeticError
        If it cannot be solved.
    """
    # SciPy's solvers take a quarter of a second to import, and every command imports the limits
    from scipy.integrate import solve_ivp

    end = max(times[-1], 1e-12)
    path = solve_ivp(slope, (0.0, end), start, "DOP853", times, rtol=relative, atol=absolute)
    if not path.success:
        raise ArithmeticError(f"the ODE cannot be solved: {path.message}")
    found: Array = path.y
    return found
