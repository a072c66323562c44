"""Tasks that are computed by either engine."""

from __future__ import annotations

from collections.abc import Sequence

from deeplimits.engines.calls import Task
from deeplimits.engines.cuda import engine as cuda
from deeplimits.engines.run import cpu


def fill(tasks: Sequence[Task], engine: str, threads: int | None = None) -> None:
    """Fill what is recorded of tasks by the engine ``cpu`` or ``cuda``; explicit weights are
    drawn by the processor.
    """
    if engine == "cuda":
        cuda.compute([task for task in tasks if not task.call.explicit])
        tasks = [task for task in tasks if task.call.explicit]
    for task in tasks:
        cpu.compute(task, threads)
