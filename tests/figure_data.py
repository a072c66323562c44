"""What figures show: titles, labels, texts, and of lines and areas the number of points and a few of them, beside what they
showed when they were last looked at. ``python tests/figure_data.py`` writes that anew."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from deeplimits.figures import figures
from deeplimits.jobs.aggregate import aggregate_study
from deeplimits.store.study_groups import open_study_groups
from paper_studies import STUDIES
from tiny import project, simulated

KNOWN = Path(__file__).parent / "figure_data.json"


def _number(value: float) -> float | str:
    return float(f"{value:.9g}") if np.isfinite(value) else str(value)


def _points(xy: Any) -> list[Any]:
    """How many, and of both coordinates the first, the middle, the last and the mean of those that are finite."""
    xy = np.ma.filled(np.ma.asarray(xy, float), np.nan).reshape(-1, 2)
    known = xy[np.isfinite(xy).all(axis=1)]
    if not len(known):
        return [len(xy)]
    chosen = [known[0], known[len(known) // 2], known[-1], known.mean(axis=0)]
    return [len(xy), *(_number(value) for each in chosen for value in each)]


def shown(figure: Figure) -> list[dict[str, Any]]:
    """Of each of its axes."""
    found = []
    for axes in figure.axes:
        areas: list[list[Any]] = []
        for each in axes.collections:
            areas += [_points(path.vertices) for path in each.get_paths()][:2]
            if (array := each.get_array()) is not None:
                areas.append(_points(np.stack([np.ravel(array)] * 2, axis=1)))
        found.append(
            {
                "labels": [axes.get_title(), axes.get_xlabel(), axes.get_ylabel()],
                "texts": [text.get_text() for text in axes.texts],
                "lines": [[str(line.get_label()), *_points(line.get_xydata())] for line in axes.lines],
                "areas": areas,
            }
        )
    return found


def alike(one: Any, other: Any) -> bool:
    """Whether two answers of ``shown`` are the same, numbers to the accuracy that solvers agree to."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return bool(one == pytest.approx(other, rel=1e-5, abs=1e-9))
    return bool(one == other)


def known(study: str) -> dict[str, Any]:
    """What the figures of a study of ``paper_studies`` showed, by name."""
    found: dict[str, Any] = json.loads(KNOWN.read_text()).get(study, {})
    return found


def drawn(study: str) -> dict[str, Any]:
    """What they show."""
    with tempfile.TemporaryDirectory() as folder:
        config = project(Path(folder), STUDIES[study])
        simulated(config)
        aggregate_study(config.study("tiny"), config.results)
        groups = open_study_groups(config.results, "tiny")
        return {name: shown(figures()[name].draw(groups)) for name in config.study("tiny").figures}


if __name__ == "__main__":
    found = {study: drawn(study) for study in STUDIES}
    KNOWN.write_text(
        "{\n"
        + ",\n".join(
            f"{json.dumps(name)}: {json.dumps(each, ensure_ascii=False)}" for name, each in found.items()
        )
        + "\n}\n"
    )
