"""What laws are made by, besides what they are of: a law that is kept on disk, or a row of a kernel, is
believed only while this has not changed.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from deeplimits.engines.compile.cache import target
from deeplimits.processor import choice

ROOMS = ("activations", "architectures", "engines", "gaussian", "laws", "limits", "networks")
"""Rooms of this package with whatever a limit may import, besides the modules beside them."""
LIBRARIES = ("mpmath", "numpy", "scipy")
"""Whose numbers laws are made of."""


@cache
def made_by() -> str:
    """SHA-256 of the sources of this package that laws are made by, of the versions of libraries, of what
    those choose by the processor (``processor.choice``), and of that which kernels are compiled for.
    """
    package = Path(__file__).parent.parent
    chosen = (f"{name}={value}" for name, value in choice().items())
    digest = hashlib.sha256("\0".join([*map(version, LIBRARIES), *target(), *chosen]).encode())
    rooms = [file for room in ROOMS for file in (package / room).rglob("*.py")]
    for file in sorted([*package.glob("*.py"), *rooms]):
        content = file.read_bytes()
        digest.update(f"\0{file.relative_to(package)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
