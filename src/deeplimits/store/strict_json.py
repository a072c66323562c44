"""JSON that every reader takes: no number that is not finite."""

from __future__ import annotations

from typing import Any


def strict_json(value: Any, indent: int = 2) -> str:
    """Strict JSON: null where a number is not finite."""
    import json
    import math

    def strict(found: Any) -> Any:
        if isinstance(found, dict):
            return {key: strict(each) for key, each in found.items()}
        if isinstance(found, list | tuple):
            return [strict(each) for each in found]
        return None if isinstance(found, float) and not math.isfinite(found) else found

    return json.dumps(strict(value), indent=indent, ensure_ascii=False, allow_nan=False)
