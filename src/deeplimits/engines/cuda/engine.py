"""The CUDA engine: kernels in CUDA C++, with the bits of the CPU engine.

A task that fills the card is computed chunk by chunk of samples, as large as free memory allows; smaller ones
share launches. A sample's bits depend on its own index alone, so neither changes anything but the time. What
talks to a card is a ``Device``; there is one of CuPy, and one of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deeplimits.engines.calls import Task
from deeplimits.engines.cuda.invocation import Device, DeviceMemoryError, Invocation
from deeplimits.engines.cuda.thread_groups import HELD, SHARING, ThreadGroup, fitting, instance
from deeplimits.errors import DeviceError

_SHARE = 0.5
"""Of the free memory, for one launch: others may need some, and memory is handed out in pieces."""
_TOGETHER = 1024
"""Tasks in one launch, at most."""


def compute(tasks: Sequence[Task], device: Device | None = None) -> None:
    """Fill what is recorded of tasks, on this process's card by default.

    Raises
    ------
    DeviceError
        If the card fails, or has no room for a single sample.
    """
    device = device or _device()
    sharing: dict[tuple[str, ThreadGroup], list[Invocation]] = {}
    for task in tasks:
        if task.count == 0:
            continue
        whole = invocation(task, device.processors)
        fills = task.count * whole.group.members >= device.processors * HELD
        if fills or task.call.kernel.inputs > SHARING:
            _in_chunks(whole, device)
        else:
            sharing.setdefault((whole.instance.name, whole.group), []).append(whole)
    for alike in sharing.values():
        for joined in _launches(alike, _SHARE * device.free()):
            _together(joined, device)
    for task in tasks:
        task.call.complete()


def invocation(task: Task, processors: int) -> Invocation:
    """The launch of all samples of a task, on a card with so many multiprocessors."""
    group = fitting(task.call.kernel, task.width, task.count, processors)
    return Invocation(instance(task.call, group), group, task.arguments(slice(0, task.count)))


def _in_chunks(whole: Invocation, device: Device) -> None:
    room = _SHARE * device.free() - whole.constant_bytes
    chunk = int(max(1, min(whole.samples, room // max(whole.sample_bytes, 1))))
    start = 0
    while start < whole.samples:
        rows = slice(start, min(start + chunk, whole.samples))
        try:
            device.run([whole.part(rows)])
        except DeviceMemoryError:
            if chunk == 1:
                message = f"no room for one sample of {whole.instance.name} on the card"
                raise DeviceError(message, "free some of its memory") from None
            chunk //= 2
            continue
        start = rows.stop


def _launches(invocations: Sequence[Invocation], room: float) -> Iterator[list[Invocation]]:
    """What fits into one launch and so many bytes, in order."""
    joined: list[Invocation] = []
    left = room
    for each in invocations:
        size = each.constant_bytes + each.samples * each.sample_bytes
        if joined and (len(joined) == _TOGETHER or size > left):
            yield joined
            joined, left = [], room
        joined.append(each)
        left -= size
    if joined:
        yield joined


def _together(joined: Sequence[Invocation], device: Device) -> None:
    if len(joined) > 1:
        try:
            device.run(joined)
        except DeviceMemoryError:
            pass  # one after another, in chunks that are halved until they fit
        else:
            return
    for each in joined:
        _in_chunks(each, device)


def description() -> dict[str, str]:
    """The card of this process, its driver, and what kernels are compiled with."""
    return _device().description


def _device() -> Device:
    from deeplimits.engines.cuda.cupy_device import device

    return device()
