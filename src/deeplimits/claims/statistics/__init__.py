"""Statistics that a file of claims may name: one file each, the keys of its entry and its effects; a file is
found by standing in this folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Union, get_args

from pydantic import Field

from deeplimits.claims.statistic import StatisticModel
from deeplimits.discovery import classes_of

STATISTICS: dict[str, type[StatisticModel]] = {
    get_args(model.model_fields["name"].annotation)[0]: model
    for model in classes_of(__name__, StatisticModel)  # type: ignore[type-abstract]
}
"""By name."""

if TYPE_CHECKING:
    Statistic = StatisticModel
else:
    Statistic = Annotated[Union[tuple(STATISTICS.values())], Field(discriminator="name")]  # noqa: UP007
