"""What all models of files have in common.

Strict on purpose: a number in quotes is no number, an unknown key is an error, and so are NaN and infinities.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

Real = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[int, Field(ge=1, le=2**31 - 1)]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Correlation = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Gram = Annotated[list[list[Real]], Field(min_length=1)]


class StrictModel(BaseModel):
    """As all files are read: no unknown key, no number in quotes.

    ``tag`` is the key that tells a model from others which may stand in its place.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    tag: ClassVar[str | None] = None
