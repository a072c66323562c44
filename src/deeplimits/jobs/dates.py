"""Files dated in the future, by a clock that was wrong when they were written or is wrong now.

What is made of them is older than they are, for whoever tells by dates what is up to date: Snakemake takes
such a job for failed, every time, and a file that changes now would be taken for older than what was made of
it before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_BEFORE = 1_000_000_000
_APART = 1_000
"""How long ago, and how far apart, they are dated then: nanoseconds."""


def is_ahead(path: Path) -> bool:
    """Whether a file is dated in the future."""
    try:
        return path.stat().st_mtime_ns > time.time_ns()
    except OSError:
        return False


def date_back(results: Path) -> None:
    """Date all files of results that are dated in the future a moment ago, and in the same order."""
    now = time.time_ns()
    ahead: dict[int, list[Path]] = {}
    for path in _files(results):
        with suppress(OSError):
            changed = path.stat().st_mtime_ns
            if changed > now:
                ahead.setdefault(changed, []).append(path)
    for place, changed in enumerate(sorted(ahead)):
        date = now - _BEFORE + _APART * place
        for path in ahead[changed]:
            with suppress(OSError):  # another user's
                os.utime(path, ns=(date, date))


def _files(results: Path) -> Iterator[Path]:
    """What a plan looks at."""
    for part in ("", "batches", "studies", "figures/*"):
        for folder in results.glob(part) if part else [results]:
            with suppress(OSError):
                yield from (path for path in folder.iterdir() if path.is_file())
