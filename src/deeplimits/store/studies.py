"""Opening the store of a study."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from deeplimits.store.errors import StoreError
from deeplimits.store.paths import study_receipt, study_store


def open_study_store(results: Path, study: str) -> xr.DataTree:
    """The reduced data of a study, lazily.

    Raises
    ------
    StoreError
        If it has not been aggregated.
    """
    if not study_receipt(results, study).exists():
        raise StoreError(
            f"{results}: study {study} has not been aggregated yet; run 'deeplimits aggregate {study}' first"
        )
    return xr.open_datatree(study_store(results, study), engine="zarr", consolidated=False)
