"""Print which CUDA extra fits this machine's NVIDIA driver: ``12``, ``13`` or nothing.

Set-up asks this before it installs CuPy. The driver library itself is asked, since it names the newest CUDA
that it can run, and since neither nvidia-smi nor a CUDA toolkit needs to be there.
"""

from __future__ import annotations

import ctypes
import sys

SUPPORTED = (12, 13)


def driver_cuda_version(library: str = "libcuda.so.1") -> int | None:
    """CUDA version of the driver, as 1000·major + 10·minor, or None without a working driver and device."""
    try:
        cuda = ctypes.CDLL(library)
    except OSError:
        return None
    devices, version = ctypes.c_int(), ctypes.c_int()
    if cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(devices)) or devices.value < 1:
        return None
    return None if cuda.cuDriverGetVersion(ctypes.byref(version)) else version.value


def fitting_extra(version: int | None) -> int | None:
    """The newest supported CUDA major that a driver of this version runs."""
    return max(
        (major for major in SUPPORTED if version is not None and major <= version // 1000), default=None
    )


if __name__ == "__main__":
    sys.stdout.write(f"{fitting_extra(driver_cuda_version()) or ''}\n")
