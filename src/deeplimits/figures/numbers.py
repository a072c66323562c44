"""Numbers as they stand beside figures and on pages."""

from __future__ import annotations


def in_short(count: float) -> str:
    """A count in three figures, 1.57 M."""
    for size, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g} {name}"
    return f"{count:.3g}"
