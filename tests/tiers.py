"""Which cases of a large family are run every day: a fixed draw; all of them in the exhaustive suite."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zlib import crc32

import pytest


def everyday(cases: Iterable[Any], count: int) -> list[Any]:
    """``cases`` as parameters in their order: ``count`` of them for every day, chosen by what they are called and so
    for good, and the others marked ``exhaustive``.
    """
    each = list(cases)
    chosen = sorted(range(len(each)), key=lambda place: crc32(str(each[place]).encode()))[:count]
    return [
        case if place in chosen else pytest.param(case, marks=pytest.mark.exhaustive)
        for place, case in enumerate(each)
    ]
