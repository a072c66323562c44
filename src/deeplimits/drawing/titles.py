"""What points, and series of points, are called in figures, so that no two are called alike."""

from __future__ import annotations

import textwrap

from deeplimits.analysis.series import inputs_text
from deeplimits.drawing.selections import group, points
from deeplimits.drawing.wording import network_text
from deeplimits.store.study_groups import Groups

_TITLE = 52
"""Letters of a title that fit above half a page."""
_DETAIL = 40
"""Letters of a list that still says something in a title."""
_LABEL = 58
"""Letters of a line of a legend beside axes."""


def title(study: Groups, point: int) -> str:
    """The network of a point, its width and its depth, and whatever else is not one for all points."""
    held = points(study).isel(point=point)
    sizes = f"n = {held.width.item()}, d = {held.depth.item()}"
    parts = [network_text(held.network.item()), sizes, *details(study, point)]
    text = ", ".join(parts)
    return text if len(text) <= _TITLE else f"{parts[0]}\n" + ", ".join(parts[1:])


def details(study: Groups, point: int) -> list[str]:
    """What tells a point from others of its network, width and depth, where it is not one for all points of
    the study: units of the layers, inputs, seed.
    """
    held = points(study)
    columns = {name: held[name].values.tolist() for name in ("widths", "gram", "start", "seed")}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    widths = [f"widths {row['widths']}" if row["widths"] else "" for row in rows]
    texts = (widths, [inputs_text(row) for row in rows], [f"seed {row['seed']}" for row in rows])
    varied = [_shortened(each) for each in texts if len(set(each)) > 1]
    return [each[point] for each in varied if each[point]]


def series_text(study: Groups, index: int) -> str:
    """A series of points that differ in width alone, in a legend: its network, and what tells it from other
    series.
    """
    names = [name.split("; ") for name in group(study, "series").width.values.tolist()]
    common = set(names[0]).intersection(*names[1:])
    parts = [[part for part in name[1:] if part not in common] for name in names]
    order = {part: k for k, part in enumerate(dict.fromkeys(part for each in parts for part in each), 1)}
    told = [
        part if len(part) <= _DETAIL else f"{part.partition(' ')[0]} no. {order[part]}"
        for part in parts[index]
    ]
    return ", ".join(map(network_text, [names[index][0], *told]))


def folded(label: str) -> str:
    """A label of a legend on lines that leave room for axes beside it, the further ones indented."""
    return "\n".join(
        part
        for line in label.split("\n")
        for part in textwrap.wrap(
            line, _LABEL, subsequent_indent="   ", break_long_words=False, break_on_hyphens=False
        )
    )


def _shortened(texts: list[str]) -> list[str]:
    """Texts that are long as numbers of what they name, so that they are still told apart."""
    order = {text: i for i, text in enumerate(dict.fromkeys(texts), 1)}
    return [
        text.replace("-", "−") if len(text) <= _DETAIL else f"{text.partition(' ')[0]} no. {order[text]}"
        for text in texts
    ]
