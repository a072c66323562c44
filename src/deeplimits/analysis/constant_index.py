"""An index of an axis that does not vary, so that ``sel`` takes it like every other: its one value chooses
all, another is an error.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
import xarray as xr
from xarray.core.indexing import IndexSelResult


class ConstantIndex(xr.Index):
    """The index of a coordinate without dimensions.

    Parameters
    ----------
    name, value
        Of the coordinate.
    """

    def __init__(self, name: Hashable, value: Any) -> None:
        self.name, self.value = name, value

    @classmethod
    def from_variables(
        cls,
        variables: Mapping[Any, xr.Variable],
        *,
        options: Mapping[str, Any],  # noqa: ARG003 - of the interface
    ) -> ConstantIndex:
        """The index of one coordinate; it has no options."""
        ((name, variable),) = variables.items()
        return cls(name, variable.to_numpy().item())

    def create_variables(self, variables: Mapping[Any, xr.Variable] | None = None) -> dict[Any, xr.Variable]:
        return dict(variables or {})

    def sel(self, labels: dict[Any, Any], **_options: Any) -> IndexSelResult:
        """Nothing to choose.

        Raises
        ------
        KeyError
            If the label is not the value.
        """
        ((name, label),) = labels.items()
        if isinstance(label, slice) or np.ndim(label) or label != self.value:
            raise KeyError(f"{name} is {self.value} at every point, and {label} was asked for")
        return IndexSelResult({})

    def to_pandas_index(self) -> pd.Index:
        return pd.Index([self.value], name=self.name)

    def isel(self, _indexers: Mapping[Any, Any]) -> Self:
        return self

    def equals(self, other: xr.Index, *, exclude: frozenset[Hashable] | None = None) -> bool:  # noqa: ARG002
        return isinstance(other, ConstantIndex) and bool(self.value == other.value)

    def rename(self, name_dict: Mapping[Any, Hashable], _dims_dict: Mapping[Any, Hashable]) -> ConstantIndex:
        return ConstantIndex(name_dict.get(self.name, self.name), self.value)


def with_constants(coordinates: xr.Coordinates) -> xr.Coordinates:
    """The coordinates, those without dimensions indexed."""
    held = xr.Dataset(coords=coordinates)
    for name in [str(name) for name, variable in coordinates.variables.items() if not variable.dims]:
        held = held.set_xindex(name, ConstantIndex)
    return held.coords
