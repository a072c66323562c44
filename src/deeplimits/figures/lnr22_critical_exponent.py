"""Li, Nica & Roy 2022, Propositions 3.4 and 3.10: what is left of correlation and variance at depth = width,
for networks shaped by n^{-p} at p from 0.1 to 2.

For each p the central half, the central nine tenths and the median of networks of growing width, and the law
of the limit. Below p = ½ the limit is degenerate, at p = ½ it is the SDE, above it is a linear network's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deeplimits.array_types import Array
from deeplimits.drawing.selections import entries, group, points
from deeplimits.drawing.style import LIMIT, PAGE, letter, new_figure, shades
from deeplimits.store.study_groups import Groups
from deeplimits.sweep.figure_needs import ONE_INPUT, RELU, SHAPED, SQUARE, TANH, Kind, Needs

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

CAPTION = """\
**Why shape by 1/√n?** ({{ samples }} networks at each point, {{ seeds }}; depth = width, ρ₀ = 0.3, V₀ =
1; study {{ study }}). For each shaping exponent p, networks of growing width (light to dark): central half
(thick), 5 to 95 % (thin) and median (dot); beside them, in vermilion, the law of the limit n → ∞. *(a)*
ReLU-like networks, Proposition 3.4: below p = ½ the correlation tends to 1, the slower the nearer p is to
½; at p = ½ it follows the SDE; above, that of a linear network. *(b, c)* tanh, Proposition 3.10.
Below p = ½ the variance is drawn to 1, at p = ½ it follows its SDE, above it is that of a linear network.
The correlation follows the linear network's SDE from above p = ¼ on, since φ''(0) = 0, with an extra drift
at p = ¼, and tends to 0 below: it does not stay constant below p = ½, as the proposition says.
"""
NEEDS = Needs(
    kinds=tuple(
        Kind(
            {**SHAPED, **of, **ONE_INPUT, **SQUARE},
            differ={"exponent": (1, 20), "width": (1, 5)},
            whole=True,
        )
        for of in (RELU, TANH)
    ),
)


_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_STEP = 0.17
"""Distance of neighbouring widths along the axis, where neighbouring p have the distance 1."""


def draw(study: Groups) -> Figure:
    """The correlation of a ReLU-like and a smooth network, and the variance of the smooth one."""
    figure, (axes,) = new_figure(1, 3, PAGE, 2.9)
    panels = (
        ("relu", "correlation", "ReLU (0, −1)", "ρ at layer n", lambda p: 1.0 if p < 0.5 else None),
        ("smooth", "correlation", "tanh", "ρ at layer n", lambda p: 0.0 if p < 0.25 else None),
        ("smooth", "log_variance", "tanh", "log V at layer n", lambda p: 0.0 if p < 0.5 else None),
    )
    for axis, (activation, observable, title, label, degenerate) in zip(axes, panels, strict=True):
        _panel(axis, study, activation, observable, degenerate)
        axis.set(title=title, ylabel=label)
    letter(axes)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _panel(axis: Any, study: Groups, activation: str, observable: str, degenerate: Any) -> None:
    held = points(study)
    widths, of_this = held.width.values, (held.activation == activation).values
    powers, sizes = sorted(set(held.exponent.values.tolist())), sorted(set(widths.tolist()))
    networks = _at_last_layer(group(study, "laws")["quantile"].sel(observable=observable))
    limits = _limits(study, observable)
    for place, p in enumerate(powers):
        chosen = np.flatnonzero(of_this & (held.exponent == p))
        chosen = chosen[np.argsort(widths[chosen])]
        for order, (point, color) in enumerate(zip(chosen, shades(len(sizes)), strict=True)):
            values = networks[point].tolist()
            _bar(
                axis,
                place + (order - 1) * _STEP - 0.1,
                values,
                color,
                f"n = {sizes[order]}" if not place else "",
            )
        x = place + (len(sizes) - 1) * _STEP - 0.1
        law = limits[chosen[-1]].tolist()
        known = degenerate(p)
        if known is not None:
            axis.plot([x], [known], "D", ms=4, color=LIMIT, zorder=3)
        elif np.isfinite(law).all():
            _bar(axis, x, law, LIMIT, "limit: law, or ◆ a point" if p == powers[-1] else "")
    axis.set_xticks(range(len(powers)), [f"{p:g}" for p in powers])
    axis.set_xlabel("shaping exponent p")
    for between in np.arange(len(powers) - 1) + 0.5:
        axis.axvline(between, color="0.9", lw=0.7, zorder=0)


def _bar(axis: Any, x: float, values: list[float], color: Any, label: str) -> None:
    axis.plot([x, x], [values[0], values[-1]], color=color, lw=0.9)
    axis.plot([x, x], [values[1], values[3]], color=color, lw=3.2, solid_capstyle="butt", label=label or None)
    axis.plot([x], [values[2]], "o", ms=2.6, color="white", mec=color, mew=0.8)


def _at_last_layer(table: xr.DataArray) -> Array:
    """Quantiles at ``_LEVELS`` at the last layer of every point [point, level]."""
    last = table.layer.argmax("record").drop_vars(table.coords, errors="ignore")
    values: Array = table.sel(level=list(_LEVELS)).isel(record=last).transpose("point", "level").values
    return values


def _limits(study: Groups, observable: str) -> Array:
    """The same of the first limit that is about a network, NaN where there is none."""
    found = np.full((group(study, "limits").sizes["point"], len(_LEVELS)), np.nan)
    for j, _ in entries(study, observable):
        found = np.where(
            np.isfinite(found), found, _at_last_layer(group(study, "limits")["quantile"].isel(entry=j))
        )
    return found
