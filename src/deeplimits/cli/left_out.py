"""Packages that xarray loads where they are installed, and that a verb has no use for."""

from __future__ import annotations

import sys


def leave_out(package: str) -> None:
    """Let the rest of this process take a package for one that is not installed, unless it is loaded already.

    xarray asks of arrays whether they are dask's, and loads ``dask.array`` to ask: a third of a second, as
    long as the rest of what many a verb does.
    """
    sys.modules.setdefault(package, None)  # type: ignore[arg-type]  # what import makes of None
