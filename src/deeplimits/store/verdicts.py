"""Verdicts on claims, as ``deeplimits claims --out`` wrote them last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deeplimits.store.commands import snakemake_command
from deeplimits.store.digests import digest_once, read_digests
from deeplimits.store.errors import StoreError, read_file
from deeplimits.store.paths import claims_digests, claims_file


def read_verdicts(results: Path) -> list[dict[str, Any]]:
    """A row for each claim; none before they were written.

    Raises
    ------
    StoreError
        If they are not what was written.
    """
    path, beside = claims_file(results), claims_digests(results)
    mended = f"`{snakemake_command('claims')}` writes it again"
    if not path.exists():
        return []
    if beside.exists():
        said, found = (read_digests(beside) or {}).get(path.name), digest_once(path)
        if said != found:
            raise StoreError(f"{path}: SHA-256 is {found}, {beside} says {said or 'nothing of it'}; {mended}")
    try:
        rows = json.loads(read_file(path))
        for row in rows:
            row["low"], row["high"] = row["interval"] or (None, None)
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path}: not the verdicts on claims: {error!r}; {mended}") from None
    return list(rows)
