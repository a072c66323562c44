"""The explorer: one page that shows, for a grid of networks, their law beside its limits. It is written from
tables that ``tools/explorer_tables.py`` computed, with a plotting library in it, and asks for nothing else.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
TABLES = HERE / "tables.npz"
AXES: dict[str, tuple[object, ...]] = {
    "slopes": ((0.0, -1.0), (0.5, -0.5), (1.0, -1.0)),
    "exponent": (0.25, 0.5, 1.0),
    "width": (16, 32, 64, 128),
    "ratio": (0.25, 0.5, 1.0, 2.0),
    "rho": (-0.5, 0.0, 0.3, 0.8),
}
"""What is chosen: c₊ and c₋, p, n, d/n and ρ₀."""
Y = np.linspace(-4.0, 6.0, 101)
"""artanh ρ, at which densities of artanh ρ are kept, in units of 1e-4."""
LEVELS = (0.25, 0.5, 0.75)


def write_page(path: Path) -> None:
    """Write the page.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    tables = np.load(TABLES)
    data = {"axes": AXES, "y": [round(float(each), 6) for each in Y], "levels": LEVELS}
    packed = {
        name: base64.b64encode(np.ascontiguousarray(tables[name]).tobytes()).decode("ascii")
        for name in ("density", "quantiles", "distances", "exact")
    }
    page = (HERE / "page.html").read_text(encoding="utf-8")
    for mark, text in {
        "/* uPlot.css */": (HERE / "uPlot.min.css").read_text(encoding="utf-8"),
        "/* uPlot.js */": (HERE / "uPlot.iife.min.js").read_text(encoding="utf-8"),
        "/* data */": f"const DATA = {json.dumps(data | packed)};",
    }.items():
        page = page.replace(mark, text, 1)
    path.write_text(page, encoding="utf-8")
