"""Names of figures, for checking files without importing a plotting library."""

from __future__ import annotations

FIGURE_NAMES = (
    "lnr22_figure_1",
    "ln24_figure_1",
    "ks_against_width",
    "quantiles_against_time",
    "law_against_limit",
)
