"""Reductions of many points: one after another in this process, or side by side in processes of its own or as
tasks of dask.

A point's rows are a function of the point, so that neither the scheduler nor the way in which points are
dealt out changes a bit. Linear algebra is held to one thread wherever points are reduced: the last digits of
a product depend on the number of threads, and workers would fight for cores.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from typing import Any, Self

from deeplimits.analysis.point import Reduction
from deeplimits.analysis.rows import Rows, stacked
from deeplimits.processor import choice
from deeplimits.store.catalogue import BlockLocation
from deeplimits.store.errors import StoreError
from deeplimits.sweep.points import Point

AT_ONCE = 64
"""Points that are reduced together at most: what their limits have in common is solved once."""
_ALONE = 1.5
"""Seconds of work that are not worth a process."""
_LOADING = 2.0
"""Seconds in which modules and tables are loaded, at most."""
_TASK = 0.5
"""Seconds that a task should take."""
_AHEAD = 16
"""Tasks that are handed out ahead of what is taken, for each core."""
_WAVE = 64
"""Tasks that a scheduler of dask is given at once."""
_MANY = 4 * AT_ONCE
"""Points that are surely worth processes."""
_TRIES = 3
"""How often processes are started anew where one was killed."""
_KILLED = (
    f"processes that reduce points were killed {_TRIES} times, as is done where memory is short; "
    "`--cores 1` takes one process"
)

Points = Sequence[tuple[Point, Sequence[tuple[BlockLocation, int]]]]
"""Points, where their blocks lie, and how many samples to take of each."""


def reduce_points(reduction: Reduction, points: Points) -> Rows:
    """The rows of several points [point, ...]."""
    _hold_to_one_thread()
    return stacked(reduction.reduce(points))


def alike(expected: Mapping[str, str], reduce: Callable[[Points], Rows], points: Points) -> Rows:
    """What ``reduce`` makes of points, where this process finds the last digits that another does, which
    keeps the rows as its own.

    Parameters
    ----------
    expected
        ``processor.choice`` of the process that asks.

    Raises
    ------
    StoreError
        If this process has made another choice.
    """
    here = choice()
    for name in sorted({*here, *expected}):
        found, wanted = (each.get(name, "nothing")[:100] for each in (here, expected))
        if here.get(name) != expected.get(name):
            raise StoreError(
                f"a process on {os.uname().nodename} that is to reduce points would find other last digits "
                f"than the one that asks: {name} is {found} there and {wanted} here; docs/clusters.md says "
                "what its environment needs"
            )
    return reduce(points)


class Spread:
    """Reduces points: in this process; in processes of their own, once there is enough to do for them; or
    under a scheduler of dask, where one is set.

    Parameters
    ----------
    cores
        Processes at most.
    """

    def __init__(self, reduction: Reduction, cores: int = 1) -> None:
        self._reduction, self._cores = reduction, cores
        self._open = ExitStack()
        self._pool: ProcessPoolExecutor | None = None
        self._others: set[Any] = set()
        self._points, self._seconds = 0, 0.0

    def __enter__(self) -> Self:
        self._open.enter_context(_one_thread())
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()
        self._open.close()

    def rows(self, points: Points) -> Iterator[Rows]:
        """The rows of points, in their order, of some after others.

        Raises
        ------
        StoreError
            If processes are killed again and again.
        """
        if _dask_scheduler() is not None:
            size = min(AT_ONCE, max(1, len(points) // 256))
            yield from self._by_dask(_tasks(points, size))
            return
        done = 0
        if self._cores > 1 and len(points) >= _MANY:
            # it loads what processes need while the first points are reduced here
            _start_server()
        while done < len(points) and (self._cores == 1 or not self._is_worth_processes(len(points) - done)):
            size = min(AT_ONCE, max(4, self._points))
            start = time.perf_counter()
            yield reduce_points(self._reduction, points[done : done + size])
            seconds = time.perf_counter() - start
            # the first few tell how long one takes, unless it is what they load that takes that long
            if done > 0 or seconds > _LOADING:
                self._seconds += seconds
                self._points += len(points[done : done + size])
            done += size
        if done < len(points):
            left = len(points) - done
            a_task = int(_TASK * self._points / self._seconds)
            size = max(1, min(AT_ONCE, a_task, -(-left // (4 * self._cores))))
            yield from self._in_processes(_tasks(points[done:], size))

    def _is_worth_processes(self, points: int) -> bool:
        return self._points > 0 and points * self._seconds / self._points > _ALONE

    def _by_dask(self, tasks: Sequence[Points]) -> Iterator[Rows]:
        import dask

        # what is not looked into is handed over as it is
        lazy = partial(dask.delayed, pure=False, traverse=False)
        for i in range(0, len(tasks), _WAVE):
            yield from dask.compute(*(lazy(self._job(task))() for task in tasks[i : i + _WAVE]))

    def _in_processes(self, tasks: Sequence[Points]) -> Iterator[Rows]:
        """As many tasks are under way as processes need to go on while the rows of some are written."""
        under_way: deque[tuple[Callable[[], Rows], Future[Rows]]] = deque()
        jobs, tries = map(self._job, tasks), 0
        while True:
            for job in islice(jobs, _AHEAD * self._cores - len(under_way)):
                under_way.append((job, self._submitted(job)))
            if not under_way:
                return
            try:
                rows = under_way[0][1].result()
            except BrokenProcessPool:
                self._stop(broken=True)
                tries += 1
                if tries == _TRIES:
                    raise StoreError(_KILLED) from None
                under_way = deque(
                    (job, self._submitted(job) if _is_lost(future) else future) for job, future in under_way
                )
                continue
            under_way.popleft()
            tries = 0
            yield rows

    def _job(self, task: Points) -> Callable[[], Rows]:
        """The reduction of a task elsewhere."""
        reduce = partial(alike, choice(), partial(reduce_points, self._reduction))
        return partial(reduce, _alone(task))

    def _submitted(self, job: Callable[[], Rows]) -> Future[Rows]:
        """A job that is handed out. Where processes have been killed meanwhile it is lost, as others are."""
        if self._pool is None:
            self._others = set(multiprocessing.active_children())
            self._pool = _processes(self._cores)
        try:
            return self._pool.submit(job)
        except BrokenProcessPool as error:
            lost: Future[Rows] = Future()
            lost.set_exception(error)
            return lost

    def _stop(self, broken: bool = False) -> None:
        if self._pool is None:
            return
        if broken:
            # a process that was started as the pool broke is not told to end, and would be waited for
            for process in set(multiprocessing.active_children()) - self._others:
                process.kill()
        self._pool.shutdown(cancel_futures=True)
        self._pool = None


def _tasks(points: Points, size: int) -> list[Points]:
    """So many points each."""
    return [points[i : i + size] for i in range(0, len(points), size)]


def _is_lost(future: Future[Rows]) -> bool:
    """Whether a job has to be handed out again, its process or that of another having been killed."""
    return not future.done() or future.cancelled() or isinstance(future.exception(), BrokenProcessPool)


def _dask_scheduler() -> Any:
    """The scheduler of dask that is set, or None, as where dask is left out."""
    try:
        import dask
    except ImportError:
        return None
    return dask.config.get("scheduler", None)


def _alone(task: Points) -> Points:
    """Points without what was worked out of them here, and with whole paths, for another process."""
    return [
        (
            replace(point, network=replace(point.network)),
            [
                (replace(location, container=location.container.absolute()), take)
                for location, take in located
            ],
        )
        for point, located in task
    ]


def _processes(cores: int) -> ProcessPoolExecutor:
    """Processes that are forked from one that has loaded what they need, and has no threads."""
    return ProcessPoolExecutor(cores, mp_context=_start_server())


def _start_server() -> Any:
    """Start the process that others are forked from, where it is not there; what forks from it."""
    from multiprocessing.forkserver import ensure_running

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["deeplimits.analysis.preloaded"])
    with _environment(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")):
        ensure_running()
    return context


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _one_thread() -> Iterator[None]:
    """Linear algebra of this process in one thread."""
    with _limits():
        yield


@lru_cache(maxsize=1)
def _hold_to_one_thread() -> None:
    """The same for as long as the process lives, or until ``_one_thread`` ends around it."""
    _limits()


def _limits() -> Any:
    import scipy.linalg  # noqa: F401  what is loaded later would not be held
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, "blas")
