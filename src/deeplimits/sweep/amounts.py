"""Amounts as people say them: 40 s, 3 min, 1.2 GB."""

from __future__ import annotations

_TIMES = (("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86400.0))
_SIZES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def duration(seconds: float) -> str:
    """A time to two digits, in the largest unit of which there are at least two; 90 s is 90 s, and 120 s is 2
    min.
    """
    if seconds < 0.95:
        return "0 s" if seconds <= 0 else "less than 1 s"
    unit, size = next((each for each in reversed(_TIMES) if seconds >= 2 * each[1]), _TIMES[0])
    return f"{_two_digits(seconds / size)} {unit}"


def about(seconds: float) -> str:
    """A time that is not known better, such as ``about 40 s``."""
    text = duration(seconds)
    return text if text.startswith("less") else f"about {text}"


def data_size(count: float) -> str:
    """Bytes to two digits, in powers of a thousand."""
    power = 0
    while count >= 999.5 and power < len(_SIZES) - 1:
        count /= 1000
        power += 1
    return f"{count:.0f} B" if power == 0 else f"{_two_digits(count)} {_SIZES[power]}"


def counted(count: int, noun: str) -> str:
    """Such as ``1 job`` and ``1,000 jobs``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def abbreviated(count: float) -> str:
    """A count in three figures, 1.57 M."""
    for size, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g} {name}"
    return f"{count:.3g}"


def _two_digits(value: float) -> str:
    if value >= 9.95:
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0")
