"""Calls that share a launch, in one piece of a card's memory: a table of their arguments, their constants,
their outputs, and what their samples keep. One transfer takes it there, and one brings the outputs back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplimits.engines.cuda.invocation import Invocation

_ALIGNED = 16
"""Bytes of which every address is a multiple."""


@dataclass
class _Piece:
    """An array: where in the table its address stands, and where in the memory it is."""

    call: int
    word: int
    size: int
    array: NDArray[Any] | None
    offset: int = 0


class SharedLaunch:
    """Memory of invocations of one instance by one thread group.

    Attributes
    ----------
    blocks
        Blocks of the longest call; each call has a row of so many.
    size
        Bytes of the memory.
    outputs
        Which of them hold the outputs.
    """

    def __init__(self, invocations: Sequence[Invocation]):
        first = invocations[0]
        self.blocks = max(each.group.blocks(each.samples) for each in invocations)
        self._table = np.zeros((len(invocations), first.instance.words), np.uint64)
        self._constants: list[_Piece] = []
        self._outputs: list[_Piece] = []
        self._states: list[_Piece] = []
        for call, each in enumerate(invocations):
            self._enter(call, each)
        start = self._placed(self._constants, _padded(self._table.nbytes))
        end = self._placed(self._outputs, start)
        self.outputs = slice(start, end)
        self.size = self._placed(self._states, end)

    def _enter(self, call: int, invocation: Invocation) -> None:
        """Numbers and sizes; addresses are not known yet."""
        instance, word = invocation.instance, 0
        for index, (kind, dimensions) in enumerate(instance.types):
            if dimensions == 0:
                bits = np.array(invocation.arguments[index], kind).tobytes()
                self._table[call, word] = int.from_bytes(bits, "little")
                word += 1
                continue
            if index == instance.arguments:
                group = invocation.group
                shape = group.blocks(invocation.samples) * group.samples, instance.state
                self._states.append(_Piece(call, word, 4 * shape[0] * shape[1], None))
            else:
                array = invocation.arguments[index]
                shape = array.shape
                written = index >= instance.arguments - instance.outputs
                (self._outputs if written else self._constants).append(
                    _Piece(call, word, array.nbytes, array)
                )
            self._table[call, word + 1 : word + 1 + dimensions] = shape
            word += 1 + dimensions

    @staticmethod
    def _placed(pieces: list[_Piece], end: int) -> int:
        """Give pieces their places from ``end`` on; returns where they end."""
        for piece in pieces:
            piece.offset = end
            end += _padded(piece.size)
        return end

    def inputs(self, address: int) -> NDArray[np.uint8]:
        """The first bytes of the memory, if it is at ``address``: the table and the constants."""
        for piece in (*self._constants, *self._outputs, *self._states):
            self._table[piece.call, piece.word] = address + piece.offset
        content = np.zeros(self.outputs.start, np.uint8)
        content[: self._table.nbytes] = self._table.view(np.uint8).ravel()
        for piece in self._constants:
            assert piece.array is not None
            content[piece.offset : piece.offset + piece.size] = np.frombuffer(piece.array.tobytes(), np.uint8)
        return content

    def take(self, content: NDArray[np.uint8]) -> None:
        """Fill the outputs of the invocations from the bytes ``outputs`` of the memory."""
        for piece in self._outputs:
            assert piece.array is not None
            start = piece.offset - self.outputs.start
            found = content[start : start + piece.size].view(piece.array.dtype)
            piece.array[...] = found.reshape(piece.array.shape)


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
