"""JSON files that carry their own digest: receipts, and the todo files of studies.

The key ``digest`` holds the SHA-256 of the file without these 64 digits. Nothing else in a file needs to be
known to check it, and a reader that does not know the key passes over it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

KEY = "digest"
_NAME = f'"{KEY}":'.encode()
_DIGITS = re.compile(rb'"digest": ?"([0-9a-f]{64})"')


def sealed(body: Mapping[str, Any], indent: int | None = None) -> str:
    """``body`` as JSON with sorted keys, its digest among them."""
    separators = (",", ":") if indent is None else None
    filled = {**body, KEY: "0" * 64}
    text = f"{json.dumps(filled, sort_keys=True, separators=separators, indent=indent)}\n".encode()
    found = _digits(text)
    assert found is not None
    start, end = found.span(1)
    return (text[:start] + _digest(text, start).encode() + text[end:]).decode()


def is_whole(text: bytes) -> bool | None:
    """Whether a file is what its digest says; None where it has none."""
    if _NAME not in text:
        return None
    found = _digits(text)
    return found is not None and _digest(text, found.start(1)) == found[1].decode()


def _digits(text: bytes) -> re.Match[bytes] | None:
    # in a text that a user typed the quotes would have a backslash before them
    return _DIGITS.match(text, text.rfind(_NAME))


def _digest(text: bytes, start: int) -> str:
    found = hashlib.sha256(text[:start])
    found.update(text[start + 64 :])
    return found.hexdigest()
