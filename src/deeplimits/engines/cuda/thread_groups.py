"""Groups of threads that compute a sample on a graphics card, and which of them fits a network and a device.

All groups return the same bits. A group is some teams of threads; a team reduces a tile of 1,024 units in 16
lanes (``contract/lanes.cuh``).
"""

from __future__ import annotations

from dataclasses import dataclass

from deeplimits.engines.calls import Call
from deeplimits.engines.compile.native import Kernel
from deeplimits.engines.contract.shape import TILE
from deeplimits.engines.cuda.source import Instance

HELD = 2048
"""Threads that a multiprocessor can hold."""
_BUSY = HELD // 2
"""Of them, those that keep it busy."""
_FEW = 16
"""Units that leave half of the lanes idle, or more."""


SHARING = 6
"""Inputs up to which calls share launches: more fill a thread's registers, and leave none for addresses."""


@dataclass(frozen=True)
class ThreadGroup:
    """Threads of a team, and teams that share a sample."""

    threads: int
    teams: int

    @property
    def members(self) -> int:
        """Threads of a sample."""
        return self.threads * self.teams

    @property
    def block(self) -> int:
        """Threads of a block, as ``lanes.cuh`` has them."""
        return 128 if self.teams == 1 else self.members

    @property
    def samples(self) -> int:
        """Samples of a block."""
        return self.block // self.members

    def blocks(self, samples: int) -> int:
        """Blocks for so many samples."""
        return -(-samples // self.samples)


PATH = ThreadGroup(1, 1)
"""A thread a sample: paths, which have no units to share."""
NARROW = ThreadGroup(4, 1)
"""Four lanes a thread: for so many samples that they fill a device, and for networks with few units."""
PLAIN = ThreadGroup(16, 1)
"""A lane a thread."""
WIDE = ThreadGroup(16, 16)
"""Sixteen tiles at a time: for few samples of wide networks."""


def thread_groups(kernel: Kernel) -> tuple[ThreadGroup, ...]:
    """Groups that a kernel is made for. Sums of many inputs fill a thread's registers with one lane."""
    if not kernel.units:
        return (PATH,)
    return (PLAIN, WIDE) if kernel.inputs > 2 else (PLAIN, NARROW, WIDE)


def instance(call: Call, group: ThreadGroup) -> Instance:
    """The instance of a call's kernel for a group."""
    outputs = len(call.outputs)
    constant = () if call.kernel.constant is None else (call.kernel.constant,)
    shape = () if group == PATH else (group.threads, group.teams)
    arguments = 2 + len(call.constants) + outputs
    return Instance(call.kernel, arguments, outputs, constant + shape, call.state)


def fitting(kernel: Kernel, width: int, samples: int, processors: int) -> ThreadGroup:
    """The group for so many samples of networks of a width, on a device with so many multiprocessors."""
    allowed = thread_groups(kernel)
    full = processors * _BUSY
    if WIDE in allowed and width > TILE and samples * PLAIN.threads < full:
        return WIDE
    if NARROW in allowed and (width <= _FEW or samples * NARROW.threads >= full):
        return NARROW
    return PLAIN if PLAIN in allowed else PATH
