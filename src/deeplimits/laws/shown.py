"""How a law shows itself: in one line, as a table of HTML, and drawn."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from deeplimits.array_types import Array
from deeplimits.errors import InputError
from deeplimits.extras import tells_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from deeplimits.laws.base import Law

_SHOWN = (0.05, 0.5, 0.95)
_ENDS = (0.001, 0.999)
"""Levels between which a law is drawn."""
_POINTS = 401
_TAIL = 14.0
"""Of the logistic distribution: levels from 1e-6 to 1 − 1e-6, of the most likely values and of the tails."""
_MARGIN = 0.04
"""Beyond these ends, as a part of what lies between them."""


def one_line(law: Law) -> str:
    """Class, what it is about, mean, standard deviation and three quantiles."""
    about = law.about
    of = f" of {about.observable} at layer {about.layer} by {about.limit}" if about else ""
    low, middle, high = law.quantile(np.array(_SHOWN))
    return (
        f"<{type(law).__name__}{of}: mean {law.mean:.6g}, std {law.std:.6g}, "
        f"quantiles 5 % {low:.6g}, 50 % {middle:.6g}, 95 % {high:.6g}>"
    )


def html(law: Law) -> str:
    """A table of two columns."""
    levels = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
    rows: list[tuple[str, str]] = []
    about = law.about
    if about:
        title = f"{about.observable} at layer {about.layer}, by {about.limit}"
        rows += [("time", f"{about.time:.6g}"), ("equation", about.source), ("why", about.reason)]
        if about.warning:
            rows.append(("warning", about.warning))
        if about.error is not None and about.error < 1:
            rows.append(("Kolmogorov distance of the network", f"{about.error:.3g}"))
    else:
        title = type(law).__name__
    rows += [("mean", f"{law.mean:.8g}"), ("standard deviation", f"{law.std:.8g}")]
    quantiles = zip(levels, law.quantile(np.array(levels)), strict=True)
    rows += [(f"{100 * level:g} % quantile", f"{value:.8g}") for level, value in quantiles]
    rows += [(f"P(X = {where:g})", f"{mass:.6g}") for where, mass in law.atoms if 0 < mass < 1]
    body = "".join(
        f'<tr><th style="text-align: left">{escape(name)}</th>'
        f'<td style="text-align: left">{escape(value)}</td></tr>'
        for name, value in rows
    )
    return f'<table><caption style="text-align: left">{escape(title)}</caption>{body}</table>'


@tells_extra
def plotted(law: Law, ax: Axes | None, kind: str, samples: ArrayLike | None, options: dict[str, Any]) -> Axes:
    """The axes with the law on them; see ``Law.plot``."""
    if kind not in {"density", "cdf"}:
        raise InputError("plot", "kind", kind, "density or cdf")
    drawn = np.zeros(0) if samples is None else np.ravel(np.asarray(samples, float))
    drawn = drawn[np.isfinite(drawn)]
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots()
    x = _places(law, drawn)
    options.setdefault("label", law.about.limit if law.about else "law")
    if kind == "cdf":
        ax.plot(x, law.cdf(x), **options)
        if len(drawn):
            ordered = np.sort(drawn)
            steps = np.arange(1, len(ordered) + 1) / len(ordered)
            ax.step(ordered, steps, where="post", color="0.5", label=_counted(drawn), zorder=1)
        ax.set_ylim(-0.02, 1.02)
        ax.set_ylabel("probability up to x")
    else:
        _draw_density(law, ax, x, drawn, options)
    _tell_infinite(law, ax)
    ax.set_xlabel(f"{law.about.observable} at layer {law.about.layer}" if law.about else "x")
    if len(drawn):
        # above the axes, where no curve is
        ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return ax


def _counted(drawn: Array) -> str:
    return f"{len(drawn):,} samples" if len(drawn) > 1 else "1 sample"


def _draw_density(law: Law, ax: Axes, x: Array, drawn: Array, options: dict[str, Any]) -> None:
    density = law.density(x)
    continuous = sum(mass for _, mass in law.atoms) < 1
    below = law.cdf(x)
    # beyond the ends of the law there is no curve; where rounding leaves no place between them, all of it
    inside = (below > 0) & (below < 1)
    seen = continuous & np.isfinite(density) & (inside if inside.any() else True)
    (line,) = ax.plot(x[seen], density[seen], **options)
    if len(drawn):
        bins = min(64, max(8, int(np.sqrt(len(drawn)))))
        ax.hist(drawn, bins, range=(x[0], x[-1]), density=True, color="0.8", label=_counted(drawn), zorder=0)
    ax.set_ylabel("density")
    finite = [(where, mass) for where, mass in law.atoms if np.isfinite(where)]
    for where, mass in finite:
        transform = ax.get_xaxis_transform()
        ax.plot([where, where], [0, mass], color=line.get_color(), transform=transform, clip_on=False)
        ax.plot([where], [mass], "o", color=line.get_color(), transform=transform, clip_on=False)
        if mass < 1:
            ax.annotate(f"{mass:.3g}", (where, mass), xycoords=transform)
    if finite:
        ax.set_xlim(x[0], x[-1])
        ax.set_ylim(bottom=0)


def _places(law: Law, drawn: Array) -> Array:
    """Where the law and the samples are, ascending; somewhere, where neither has a finite value."""
    ends = [*law.quantile(np.array(_ENDS)), *(where for where, _ in law.atoms)]
    # of a law with much mass at infinity, where what is finite ends
    left = 1 - sum(mass for where, mass in law.atoms if where == np.inf)
    least = law.mass(-np.inf)
    levels = least + (left - least) * np.array(_ENDS)
    ends += [*law.quantile(levels)] if 0 < levels[0] < levels[-1] < 1 else []
    values = np.concatenate([np.array(ends), drawn])
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
    width = float(high - low) or 1.0 + abs(float(low))
    evenly = np.linspace(low - _MARGIN * width, high + _MARGIN * width, _POINTS)
    # a narrow peak has as many places as what is wide beside it
    parts = 1 / (1 + np.exp(np.linspace(_TAIL, -_TAIL, _POINTS)))
    spread = law.quantile(least + (left - least) * parts) if left > least else evenly
    return np.union1d(evenly, spread[(evenly[0] < spread) & (spread < evenly[-1])])


def _tell_infinite(law: Law, ax: Axes) -> None:
    for where, mass in law.atoms:
        if np.isinf(where) and mass > 0:
            side = "right" if where > 0 else "left"
            text = f"{mass:.3g} at {'+∞' if where > 0 else '−∞'}"
            place = (0.98 if where > 0 else 0.02, 0.95)
            ax.annotate(text, place, xycoords="axes fraction", ha=side, va="top")
