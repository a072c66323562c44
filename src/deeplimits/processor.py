"""What libraries choose by the processor, held to one choice: laws that are solved then have the same bits on
every x86-64 processor with AVX2 and FMA, those of the last ten years.

NumPy takes exponentials and logarithms by other algorithms where there is AVX-512, and BLAS sums in another
order on every kind of processor; each differs in the last digit, and so would study stores. Samples depend on
neither: engines make their bits themselves.
"""

from __future__ import annotations

import os
import sys
from itertools import takewhile
from pathlib import Path

_FEATURES = "NPY_DISABLE_CPU_FEATURES"
HELD = {
    # by groups of features since NumPy 2.4, by features before
    _FEATURES: "X86_V4 AVX512_ICL AVX512_SPR AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL",
    "OPENBLAS_CORETYPE": "Haswell",
    "MKL_CBWR": "AVX2",
}
"""What environment variables are set to where the user has not set them."""
_NEEDED = {"avx2", "fma"}
_SAID = (*HELD, "NPY_ENABLE_CPU_FEATURES")
"""Variables that may decide which bits a law has."""
_KIND = (
    "vendor_id",
    "cpu family",
    "model",
    "flags",
    "CPU implementer",
    "CPU part",
    "CPU variant",
    "Features",
)
"""What tells kinds of processors apart, as Linux has it."""


def hold() -> None:
    """Hold this process and those that it starts, before it reads NumPy.

    A processor that lacks what the choice needs, or is of another kind, is left alone, and so is a process
    that has read NumPy already.
    """
    if "numpy" in sys.modules or not _has_them():
        return
    for name, value in HELD.items():
        # NumPy does not start where both are set
        if name != _FEATURES or "NPY_ENABLE_CPU_FEATURES" not in os.environ:
            os.environ.setdefault(name, value)


def in_force() -> dict[str, str]:
    """The choice that is in force, by variable; what is not said is the libraries' own."""
    return {name: os.environ[name] for name in HELD if name in os.environ}


def choice() -> dict[str, str]:
    """All that the last digits of a law depend on besides what it is of, and sources: what is in force, the C
    library, whose exponentials NumPy takes, and the processor where that decides.

    Where everything is held it is the same on all processors; what is kept of one choice is not what another
    makes.
    """
    found = {name: os.environ[name] for name in _SAID if name in os.environ}
    if found != HELD:
        found["processor"] = _kind()
    return found | {"libc": _c_library()}


def _c_library() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError, AttributeError):  # it is another, of which nothing is known
        return sys.platform


def _kind() -> str:
    """What is known of the processor."""
    machine = os.uname().machine if hasattr(os, "uname") else sys.platform
    return "; ".join([machine, *(line for line in _first_processor() if line.startswith(_KIND))])


def _has_them() -> bool:
    if not hasattr(os, "uname") or os.uname().machine not in ("x86_64", "AMD64"):
        return False
    features = next((line for line in _first_processor() if line.startswith("flags")), "")
    return set(features.split()) >= _NEEDED


def _first_processor() -> list[str]:
    """What Linux tells of it; the file is long where there are many."""
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as lines:
            return [line.strip() for line in takewhile(str.strip, lines)]
    except OSError:
        return []
