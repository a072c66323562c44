"""The explorer: one page that shows, for grids of networks, their law beside its limits, and paths of some.
It is written from tables that ``tools/explorer_tables.py`` computed, with a plotting library in it, and asks
for nothing else.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
LEVELS = (0.25, 0.5, 0.75)
PATHS = (8, 33)
"""Networks whose paths are drawn, and layers of each."""


@dataclass(frozen=True)
class View:
    """One half of the page: an observable over a grid of networks.

    Attributes
    ----------
    name
        What its tables are called.
    axes
        What is chosen, by name.
    at
        Where densities are kept, in units of 1e-4, on the scale on which they are drawn.
    values
        Takes that scale to the observable.
    kinds
        Laws of each point: of the network, of its limit, and of another equation.
    """

    name: str
    axes: Mapping[str, tuple[Any, ...]]
    at: NDArray[np.float64]
    values: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    kinds: int

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each axis has."""
        return tuple(len(values) for values in self.axes.values())

    @property
    def tables(self) -> Path:
        """The file of its tables; those of its paths may lie beside it."""
        return HERE / f"{self.name}.npz"

    def packed(self) -> dict[str, object]:
        """All that the page reads of it."""
        packed: dict[str, object] = {"axes": self.axes, "at": [round(float(each), 6) for each in self.at]}
        for path in (self.tables, HERE / f"{self.name}_paths.npz"):
            if path.exists():
                with np.load(path) as tables:
                    packed |= {name: _text(table) for name, table in tables.items()}
        return packed | {"kinds": self.kinds}


CORRELATION = View(
    "correlation",
    {
        "slopes": ((0.0, -1.0), (0.5, -0.5), (1.0, -1.0)),
        "exponent": (0.25, 0.5, 1.0),
        "width": (16, 32, 64, 128),
        "ratio": (0.25, 0.5, 1.0, 2.0),
        "rho": (-0.5, 0.0, 0.3, 0.8),
    },
    np.linspace(-4.0, 6.0, 101),
    np.tanh,
    3,
)
"""The correlation of two inputs, at values of artanh ρ: c₊ and c₋, p, n, d/n and ρ₀ are chosen."""
VARIANCE = View(
    "variance",
    {
        "activation": (
            *(("tanh", 0.0), ("sin", 0.0), ("sigmoid", 1.0), ("softplus", 1.0)),
            *(("softplus", 0.0), ("softplus", -1.0), ("silu", 0.0), ("gelu", 0.0)),
        ),
        "width": (16, 32, 64, 128),
        "ratio": (0.25, 0.5, 1.0, 2.0),
    },
    np.linspace(-10.0, 8.0, 101),
    np.positive,
    2,
)
"""The logarithm of the variance of one input of unit norm: an activation and where it is centred, n and d/n
are chosen."""


def _text(table: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(table).tobytes()).decode("ascii")


def write_page(path: Path) -> None:
    """Write the page.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    data = {"levels": LEVELS, "paths": PATHS, "views": {v.name: v.packed() for v in (CORRELATION, VARIANCE)}}
    page = (HERE / "page.html").read_text(encoding="utf-8")
    for mark, text in {
        "/* uPlot.css */": (HERE / "uPlot.min.css").read_text(encoding="utf-8"),
        "/* uPlot.js */": (HERE / "uPlot.iife.min.js").read_text(encoding="utf-8"),
        "/* data */": f"const DATA = {json.dumps(data)};",
    }.items():
        page = page.replace(mark, text, 1)
    path.write_text(page, encoding="utf-8")
