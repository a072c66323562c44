"""What libraries choose by the processor, held to one choice: laws that are solved then have the same bits on
every x86-64 processor with AVX2 and FMA, those of the last ten years.

NumPy takes exponentials and logarithms by other algorithms where there is AVX-512, and BLAS sums in another
order on every kind of processor; each differs in the last digit, and so would study stores. Samples depend on
neither: engines make their bits themselves.
"""

from __future__ import annotations

import os
import sys
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


def _has_them() -> bool:
    if not hasattr(os, "uname") or os.uname().machine not in ("x86_64", "AMD64"):
        return False
    try:
        # of the first processor: the file is long where there are many
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as lines:
            features = next((line for line in lines if line.startswith("flags")), "")
    except OSError:
        return False
    return set(features.split()) >= _NEEDED
