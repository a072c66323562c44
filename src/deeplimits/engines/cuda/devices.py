"""Graphics cards, before anything is computed on them: whether one can be used, and which one is this job's.

All is asked of the driver's own library and of the file system. CuPy takes a second to import, and most
machines have no card to import it for.
"""

from __future__ import annotations

import ctypes
import fcntl
import importlib.util
import os
import tempfile
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO

_DRIVER = "libcuda.so.1"
_NODES = ("nvidia[0-9]*", "dxg")
"""Of cards in /dev; the second is that of the Windows Subsystem for Linux."""
_CUPY = {13: "cupy-cuda13x", 12: "cupy-cuda12x"}

_claims: list[IO[str]] = []
"""Files whose locks last as long as this process."""


def seen(nodes: Path = Path("/dev")) -> bool:
    """Whether this machine shows a card to this process; costs nothing."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    hidden = visible is not None and (not visible.strip() or visible.strip().startswith("-"))
    return not hidden and any(next(nodes.glob(pattern), None) is not None for pattern in _NODES)


@cache
def obstacle(driver: str = _DRIVER, nodes: Path = Path("/dev")) -> str | None:
    """What stands between this process and a card, and what to do about it; None where nothing does."""
    if not seen(nodes):
        return "an NVIDIA card for this process: there is none in /dev, or CUDA_VISIBLE_DEVICES hides it"
    try:
        cuda = ctypes.CDLL(driver)
    except OSError:
        return f"an NVIDIA driver: {driver} is not there; install the driver of the card"
    count, newest = ctypes.c_int(), ctypes.c_int()
    status = cuda.cuInit(0)
    if status:
        return f"a driver that starts: cuInit failed with error {status}; see what nvidia-smi says"
    if cuda.cuDeviceGetCount(ctypes.byref(count)) or count.value < 1:
        return (
            "a card that the driver offers: it offers none; see what nvidia-smi and CUDA_VISIBLE_DEVICES say"
        )
    if cuda.cuDriverGetVersion(ctypes.byref(newest)):
        return "a driver that tells its version; see what nvidia-smi says"
    return _without_cupy(newest.value // 1000, newest.value % 1000 // 10)


def _without_cupy(major: int, minor: int) -> str | None:
    """As ``obstacle``, with a driver for CUDA ``major``.``minor``."""
    if importlib.util.find_spec("cupy") is None:
        fitting = max((known for known in _CUPY if known <= major), default=None)
        if fitting is None:
            return f"a driver for CUDA {min(_CUPY)} or newer, not for {major}.{minor}: install a newer one"
        return f"CuPy: install it with `pip install 'deeplimits[cuda{fitting}]'`, or run tools/setup.sh again"
    for built, package in _CUPY.items():
        try:
            found = version(package)
        except PackageNotFoundError:
            continue
        if built > major:
            return (
                f"a driver for CUDA {built}, which {package} {found} is made for: this one is for CUDA "
                f"{major}.{minor}; install a newer driver, or deeplimits[cuda{major}] in its place"
            )
        return None
    return None  # a CuPy of another origin, which will say itself what it misses


def claimed(names: list[str], folder: Path | None = None) -> int:
    """Index of a card for this process: one that no other process of this user has claimed, or any.

    Parameters
    ----------
    names
        What tells the cards apart on this machine, such as their bus addresses.
    """
    folder = folder or Path(tempfile.gettempdir())
    for index, name in enumerate(names):
        path = folder / f"deeplimits-{os.getuid()}-{name.replace(':', '-')}.lock"
        try:
            file = path.open("a", encoding="ascii")
        except OSError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        _claims.append(file)
        return index
    return os.getpid() % len(names)
