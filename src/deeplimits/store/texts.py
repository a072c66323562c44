"""Texts of a study store, read when they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing


class _Objects(BackendArray):
    """Texts of a list, which NumPy has of a type of its own, as objects."""

    def __init__(self, texts: xr.Variable) -> None:
        self._texts, self.shape, self.dtype = texts, texts.shape, np.dtype(object)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        basic = indexing.IndexingSupport.BASIC
        return indexing.explicit_indexing_adapter(key, self.shape, basic, self._get)

    def _get(self, key: tuple[Any, ...]) -> NDArray[Any]:
        return np.asarray(self._texts.to_numpy().astype(object)[key])


def as_objects(texts: xr.Variable) -> xr.Variable:
    """Texts as objects, converted when they are read, and once."""
    lazy = indexing.MemoryCachedArray(indexing.LazilyIndexedArray(_Objects(texts)))  # type: ignore[no-untyped-call]
    return xr.Variable(texts.dims, lazy, texts.attrs)
