"""A client of dask.distributed for as long as a study is aggregated: of a scheduler that is running, or of
one with workers that a batch system starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from deeplimits.errors import InputError
from deeplimits.store.errors import StoreError
from deeplimits.sweep.models import DaskModel

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


@contextmanager
def client_of(settings: DaskModel) -> Iterator[None]:
    """Tasks of dask go where ``settings`` say.

    Raises
    ------
    InputError
        If the packages for that are missing.
    StoreError
        If the scheduler does not answer, or the batch system takes no jobs.
    """
    distributed = _package("distributed")
    if settings.scheduler:
        try:
            client = distributed.Client(settings.scheduler, timeout=_PATIENCE)
        except (OSError, TimeoutError) as error:
            raise StoreError(
                f"the scheduler of dask at {settings.scheduler}, which the configuration names under dask, "
                f"does not answer: {error}"
            ) from error
        with client:
            yield
        return
    assert settings.cluster is not None
    make = getattr(_package("dask_jobqueue"), _CLUSTERS[settings.cluster])
    named = {"queue": settings.queue, "account": settings.account, "walltime": settings.walltime}
    try:
        cluster = make(
            cores=settings.cores,
            processes=settings.cores,
            memory=settings.memory,
            **{name: value for name, value in named.items() if value is not None},
        )
        cluster.scale(jobs=settings.workers)
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise StoreError(
            f"no workers by {settings.cluster}, which the configuration names: {error}"
        ) from error
    with cluster, distributed.Client(cluster):
        yield


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
