"""A client of dask.distributed for as long as a study is aggregated: of a scheduler that is running, or of
one with workers that a batch system starts.
"""

from __future__ import annotations

import shlex
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from deeplimits.errors import InputError
from deeplimits.processor import in_force
from deeplimits.store.errors import StoreError
from deeplimits.sweep.config_models import DaskModel

_CLUSTERS = {
    "htcondor": "HTCondorCluster",
    "lsf": "LSFCluster",
    "moab": "MoabCluster",
    "oar": "OARCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "slurm": "SLURMCluster",
}
_PATIENCE = 30
"""Seconds within which a scheduler answers."""
_LOOK = 10.0
"""Seconds between two looks at whether there are workers."""
_TELL = 60
"""Looks between two times that it is said that there are none."""
_LOOPBACK = "127.0.0.1:0"
"""Where pages that tell how workers are doing can be read: on this machine alone."""


@contextmanager
def client_of(settings: DaskModel, logs: Path) -> Iterator[None]:
    """Tasks of dask go where ``settings`` say.

    Parameters
    ----------
    logs
        Folder for what jobs of a batch system print.

    Raises
    ------
    InputError
        If the packages for that are missing.
    StoreError
        If the scheduler does not answer or goes away, the batch system takes no jobs, or workers are killed
        again and again.
    """
    distributed = _package("distributed")
    failed: list[str] = []
    with ExitStack() as stack:
        cluster = None
        if settings.scheduler:
            where = f"the scheduler of dask at {settings.scheduler}"
            client = stack.enter_context(_client(distributed, settings.scheduler))
        else:
            where = f"the scheduler of dask whose workers {settings.cluster} starts"
            cluster = stack.enter_context(_started(settings, logs, failed))
            client = stack.enter_context(distributed.Client(cluster))
        stack.enter_context(_watched(client, cluster, settings.workers, where, failed))
        try:
            yield
        except distributed.KilledWorker as error:
            raise StoreError(
                f"one task after another killed {error.allowed_failures + 1} workers of dask, the last at "
                f"{error.last_worker.address}, as is done where memory is short: give workers more of it"
            ) from error
        except (distributed.CancelledError, OSError) as error:
            if failed:
                raise _no_workers(settings, failed) from error
            if client.status == "running":
                raise
            raise StoreError(f"{where} is gone: {error}") from error


def _client(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=_PATIENCE)
    except (OSError, TimeoutError) as error:
        raise StoreError(
            f"the scheduler of dask at {address}, which the configuration names under dask, "
            f"does not answer: {error}"
        ) from error


def _started(settings: DaskModel, logs: Path, failed: list[str]) -> Any:
    """A cluster whose workers are jobs of a batch system that has taken them.

    Parameters
    ----------
    failed
        Takes why later jobs, in the place of those that ended, could not be submitted.
    """
    assert settings.cluster is not None
    make = getattr(_package("dask_jobqueue"), _CLUSTERS[settings.cluster])
    named = {"queue": settings.queue, "account": settings.account, "walltime": settings.walltime}
    submitted = threading.Semaphore(0)
    try:
        cluster = make(
            cores=settings.cores,
            processes=settings.cores,
            memory=settings.memory,
            scheduler_options={"dashboard_address": _LOOPBACK},
            worker_extra_args=["--dashboard-address", _LOOPBACK],
            log_directory=str(logs),
            job_cls=_telling(make.job_cls, submitted, failed),
            job_script_prologue=[f"export {name}={shlex.quote(value)}" for name, value in in_force().items()],
            **{name: value for name, value in named.items() if value is not None},
        )
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise _no_workers(settings, [str(error)]) from error
    cluster.scale(jobs=settings.workers)
    for _ in range(settings.workers):
        submitted.acquire()
    if failed:
        cluster.close()
        raise _no_workers(settings, failed)
    return cluster


def _no_workers(settings: DaskModel, failed: Sequence[str]) -> StoreError:
    said = failed[0]
    said = " ".join((said.partition("stderr:")[2] or said).split())
    return StoreError(f"no workers by {settings.cluster}, which the configuration names: {said}")


def _telling(job: Any, submitted: threading.Semaphore, failed: list[str]) -> Any:
    """A kind of job that tells whether it was submitted: dask-jobqueue writes that into a log and waits."""
    process = _package("distributed").deploy.spec.ProcessInterface

    class Telling(job):  # type: ignore[misc]
        async def start(self) -> None:
            try:
                await super().start()
            except (OSError, ValueError, RuntimeError) as error:
                failed.append(str(error))
                await process.start(self)
            finally:
                submitted.release()

    return Telling


@contextmanager
def _watched(client: Any, cluster: Any, jobs: int, where: str, failed: Sequence[str]) -> Iterator[None]:
    """Start others in the place of workers that are gone, at the time limit of their jobs at the latest; say
    so where there is none, for jobs stand in a queue for hours; and end it where there will be none.
    """
    over = threading.Event()

    def watch() -> None:
        looks = 0
        while not over.wait(_LOOK):
            try:
                workers = client.scheduler_info(n_workers=1)["workers"]
            except (OSError, RuntimeError, TimeoutError):
                return
            if over.is_set():
                return
            if failed and not workers:
                client.close()
                return
            if not workers and looks % _TELL == 0:
                sys.stderr.write(f"waiting for {where}: it has no worker\n")
                sys.stderr.flush()
            looks = 0 if workers else looks + 1
            if cluster is not None:
                cluster.scale(jobs=jobs)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_LOOK)


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        distribution = name.replace("_", "-")
        raise InputError(
            "the configuration",
            "dask",
            f"<no package {distribution}>",
            "the extra `cluster`: pip install 'deeplimits[cluster]'",
        ) from None
