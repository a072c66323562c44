"""Models that are told apart by one of their keys, as a discriminated union."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar, Union, get_args

from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class OneOf(Generic[M]):
    """One of several models.

    Parameters
    ----------
    members
        The models, each with a ``Literal`` of its own under the key that tells them apart.
    tag
        That key.
    before
        What is done with a value before a member is chosen; it refuses a tag that there is not.
    """

    members: tuple[type[M], ...]
    tag: str
    before: Callable[[Any], Any]

    @cached_property
    def annotation(self) -> Any:
        """The union, as pydantic has it; of one member, that."""
        if len(self.members) == 1:
            return Annotated[self.members[0], BeforeValidator(self.before)]
        union: Any = Union.__getitem__(self.members)
        return Annotated[union, Field(discriminator=self.tag), BeforeValidator(self.before)]

    @cached_property
    def adapter(self) -> TypeAdapter[M]:
        """What validates it, and writes its schema."""
        return TypeAdapter(self.annotation)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """All that the key may be."""
        return tuple(tag for member in self.members for tag in tags(member, self.tag))


def tags(member: type[BaseModel], key: str) -> tuple[str, ...]:
    """What a key of a member may be."""
    return get_args(member.model_fields[key].annotation)
