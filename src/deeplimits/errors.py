"""Exceptions that end in one message: bad input (which file, which key, what was found, what was expected,
and the nearest valid name), and a graphics card that fails.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class InputError(ValueError):
    """A file or an option that cannot be used.

    Parameters
    ----------
    where
        File (or option) that holds the mistake.
    key
        Path of the key inside the file, such as ``networks.0.activation.name``; empty for the file as a
        whole.
    found
        The value as it was given.
    expected
        What would have been accepted, in words.
    nearest
        The closest valid name, where one is close enough to be a likely slip.
    """

    def __init__(self, where: str | Path, key: str, found: object, expected: str, nearest: str | None = None):
        self.where, self.key, self.found, self.expected, self.nearest = (
            str(where),
            key,
            found,
            expected,
            nearest,
        )
        place = f"{where}: {key}" if key else str(where)
        hint = f"; did you mean {nearest!r}?" if nearest else ""
        super().__init__(f"{place}: found {_short(found)}, expected {expected}{hint}")


class DeviceError(RuntimeError):
    """A graphics card that failed.

    Parameters
    ----------
    problem
        What failed.
    remedy
        What to do, beside leaving the card out.
    """

    def __init__(
        self,
        problem: str,
        remedy: str = "run the same command again, and see what `nvidia-smi` says if it persists",
    ):
        super().__init__(
            f"{problem}. Nothing of this job was written: {remedy}; "
            "`--engine cpu` computes the same bits without a card"
        )


def _short(value: object, limit: int = 120) -> str:
    text = value if isinstance(value, str) and value.startswith("<") else repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def nearest_name(found: object, names: Iterable[str]) -> str | None:
    """The valid name closest to ``found``, or None where none is close enough to be a likely slip. Capitals
    do not count, nor words before or after a name: ``LeakyReLU`` is close to ``relu``.
    """
    plain = {name.lower(): name for name in names}
    text = str(found).lower()
    matches = difflib.get_close_matches(text, plain, n=1, cutoff=0.6)
    inside = sorted((name for name in plain if len(name) > 2 and name in text), key=len)
    return plain[(matches or inside[-1:])[0]] if matches or inside else None
