"""Crews of threads that compute a sample on a graphics card, and which of them fits a network and a device.

All crews return the same bits. A crew is some teams of threads; a team reduces a tile of 1,024 units in 16
lanes (``contract/lanes.cuh``).
"""

from __future__ import annotations

from dataclasses import dataclass

from deeplimits.engines.calls import Call
from deeplimits.engines.compile.native import Kernel
from deeplimits.engines.contract.shape import KINDS, LANES, TILE
from deeplimits.engines.cuda.source import Instance

HELD = 2048
"""Threads that a multiprocessor can hold."""
_BUSY = HELD // 2
"""Of them, those that keep it busy."""
_FEW = 16
"""Units that leave half of the lanes idle, or more."""


SHARING = 6
"""Inputs up to which calls share launches: more fill a thread's registers, and leave none for addresses."""

_PATHS = ("sde.path_kernels", "sde.covariance_kernels")
"""Modules whose samples are paths."""


@dataclass(frozen=True)
class Crew:
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


PATH = Crew(1, 1)
"""A thread a sample: paths, which have no units to share."""
NARROW = Crew(4, 1)
"""Four lanes a thread: for so many samples that they fill a device, and for networks with few units."""
PLAIN = Crew(16, 1)
"""A lane a thread."""
WIDE = Crew(16, 16)
"""Sixteen tiles at a time: for few samples of wide networks."""


def crews(kernel: Kernel) -> tuple[Crew, ...]:
    """Crews that a kernel is made for. Sums of many inputs fill a thread's registers with one lane."""
    if kernel.module in _PATHS:
        return (PATH,)
    return (PLAIN, WIDE) if inputs_of(kernel) > 2 else (PLAIN, NARROW, WIDE)


def inputs_of(kernel: Kernel) -> int:
    """How many inputs a kernel carries."""
    constant = kernel.constant or (2 if kernel.name == "two_inputs" else 1)
    return constant // KINDS if kernel.module == "resnet.forward" else constant


def instance(call: Call, crew: Crew) -> Instance:
    """The instance of a call's kernel for a crew."""
    outputs = len(call.outputs)
    constant = () if call.kernel.constant is None else (call.kernel.constant,)
    shape = () if crew == PATH else (crew.threads, crew.teams)
    arguments = 2 + len(call.constants) + outputs
    return Instance(call.kernel, arguments, outputs, constant + shape, _state(call))


def _state(call: Call) -> int:
    """Numbers kept of a sample, as float32: what its kernel says it keeps in the card's memory."""
    inputs = inputs_of(call.kernel)
    pairs = inputs * (inputs - 1) // 2
    if call.kernel.module == "sde.covariance_kernels":
        return 2 * (4 * inputs**2 + inputs * (inputs + 1) + 4 + 5 * inputs)
    if call.kernel.module == "resnet.forward":
        return (inputs + pairs) * _padded(int(call.constants[0]), inputs)
    algebra = 12 * inputs**2 + 3 * inputs + inputs * (inputs + 1) // 2 + inputs**2
    if call.kernel.module == "gradients.residual":
        padded, layers = _padded(int(call.constants[0]), inputs), int(call.constants[1]) + 1
        rows = inputs + pairs + 5 * inputs + layers * (2 * inputs - 1)
        return 2 * algebra + rows * padded + layers * inputs + layers * inputs % 2
    if call.kernel.module == "gradients.perceptron":
        widths = call.constants[0]
        layers = len(widths) * (2 * inputs**2 + 2 * inputs)
        return 2 * algebra + layers + 4 * inputs * _padded(int(widths.max()), inputs)
    return 0


def _padded(width: int, inputs: int) -> int:
    """Units in whole rounds of the lanes."""
    group = LANES * units_per_lane(inputs)
    return -(-width // group) * group


def units_per_lane(inputs: int) -> int:
    """Units whose normals come from one call of Philox, as ``layer_normals`` has them."""
    return {1: 4, 2: 2}.get(inputs, 1)


def fitting(kernel: Kernel, width: int, samples: int, processors: int) -> Crew:
    """The crew for so many samples of networks of a width, on a device with so many multiprocessors."""
    allowed = crews(kernel)
    full = processors * _BUSY
    if WIDE in allowed and width > TILE and samples * PLAIN.threads < full:
        return WIDE
    if NARROW in allowed and (width <= _FEW or samples * NARROW.threads >= full):
        return NARROW
    return PLAIN if PLAIN in allowed else PATH
