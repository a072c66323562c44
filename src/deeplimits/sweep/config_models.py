"""config/config.yaml as a model: which studies, at which scale, where to, and on which machines."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from deeplimits.sweep.strict import StrictModel


class DaskModel(StrictModel):
    """Where the points of a study are reduced, if not on the machine that aggregates it: a scheduler that is
    running, or workers that a batch system starts for each study.
    """

    scheduler: str | None = Field(
        None, description="address of a dask scheduler, such as tcp://10.0.0.7:8786; or a cluster is named"
    )
    cluster: Literal["htcondor", "lsf", "moab", "oar", "pbs", "sge", "slurm"] | None = Field(
        None, description="batch system that starts workers, by dask-jobqueue"
    )
    workers: Annotated[int, Field(ge=1, le=10_000)] = Field(4, description="jobs of the batch system")
    cores: Annotated[int, Field(ge=1, le=1024)] = Field(
        1, description="cores of each job, each of which reduces points of its own"
    )
    memory: Annotated[str, Field(min_length=1)] = Field(
        "4GB", description="memory of each job, as dask reads it"
    )
    queue: Annotated[str, Field(min_length=1)] | None = Field(None, description="queue or partition")
    account: Annotated[str, Field(min_length=1)] | None = Field(None, description="account that is charged")
    walltime: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="time limit of each job, as the batch system reads it"
    )


class ConfigModel(StrictModel):
    """config/config.yaml."""

    studies: list[str] | Literal["all"] = Field(
        "all", description="names of the studies to run: files of config/studies, without .yaml"
    )
    scale: Literal["papers", "deep"] = Field(
        "papers", description="papers: each study's own samples; deep: 64 times as many"
    )
    results: Annotated[str, Field(min_length=1)] = Field(
        "results", description="folder of everything that is computed"
    )
    target_minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        0.5,
        description="core-minutes that one simulation job should take; more where there would be over 200",
    )
    dask: DaskModel | None = Field(
        None,
        description="where studies are aggregated: scheduler, the address of one of dask, or cluster, a "
        "batch system; left out, on the machine of the job",
    )
    claims: Annotated[str, Field(min_length=1)] | None = Field(
        "claims",
        description="folder of files of claims, or none; by default the folder claims beside the Snakefile",
    )
