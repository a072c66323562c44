"""How much an answer may cost: what takes long counts the points that it evaluates, where somebody sets a
bound.

Points, not seconds: what is refused does not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from deeplimits.gaussian.unreachable import Unreachable

_LEFT: ContextVar[list[float] | None] = ContextVar("points left", default=None)

A_CALL, A_RULE = 400, 2000
"""Points that take as long as what an expectation, and a rule, takes beside its points: 0.2 ms, and 1 ms."""


@contextmanager
def bounded(points: float) -> Iterator[None]:
    """Let expectations and diffusions evaluate at most ``points`` places, some 2e6 a second, and raise
    ``Unreachable`` beyond.

    Returns
    -------
    A context; what it holds for is the thread that enters it.
    """
    token = _LEFT.set([points])
    try:
        yield
    finally:
        _LEFT.reset(token)


def spend(points: float) -> None:
    """Count ``points`` places that are evaluated.

    Raises
    ------
    Unreachable
        If they are more than are left.
    """
    left = _LEFT.get()
    if left is None:
        return
    left[0] -= points
    if left[0] < 0:
        raise Unreachable(
            "it takes longer than an answer may; an earlier layer, an activation that bends less or a "
            "smaller variance takes less"
        )
