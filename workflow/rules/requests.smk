# What jobs ask for: cores, memory and minutes, on a cluster by the cost model.
from deeplimits.jobs.slurm import before_submitting
from deeplimits.jobs.workflow import (
    aggregation_job,
    aggregation_threads,
    simulation_job,
    simulation_threads,
)
from deeplimits.sweep.jobs import at_most

# What a user names with --default-resources is asked for, not what the cost model says.
NAMED = {
    resource.partition("=")[0]
    for resource in getattr(workflow.resource_settings.default_resources, "args", ())
}
# By rule, the minutes that its partition allows, where Slurm has said so.
ALLOWED = {}
JOBS = {batch: job for study in TARGETS.values() for batch, job in study.jobs.items()}
LARGEST = {
    "simulate": at_most(JOBS.values()),
    "aggregate": at_most(study.job for study in TARGETS.values()),
}


def not_named(**resources):
    return {name: value for name, value in resources.items() if name not in NAMED}


# What a message adds on a cluster.
ASKED = (
    "; asks for {resources.runtime} min, {resources.mem_mb} MB, cores: {threads}"
    if workflow.resource_settings.nodes is not None
    else ""
)


def goes_away():
    """Whether jobs are sent to other machines. A dry run tells of them as the run would send them."""
    if workflow.dryrun:
        return workflow.resource_settings.nodes is not None
    return workflow.remote_exec or not workflow.local_exec


def asks_the_same(rule):
    """Whether its jobs all ask for the same, as those of an array do, for what the first one asks for."""
    arrays = getattr(workflow.executor_settings, "array_jobs", None) or ""
    return not {rule, "all"}.isdisjoint(arrays.replace(";", ",").split(","))


def job_of_batch(wildcards):
    if JOBS and asks_the_same("simulate"):
        return LARGEST["simulate"]
    try:
        return JOBS.get(wildcards.batch) or simulation_job(
            SETTINGS.results, wildcards.batch
        )
    except InputError as error:
        raise WorkflowError(str(error))


def job_of_study(wildcards):
    if TARGETS and asks_the_same("aggregate"):
        return LARGEST["aggregate"]
    try:
        planned = TARGETS.get(wildcards.study)
        return (
            planned.job if planned else aggregation_job(SETTINGS.study(wildcards.study))
        )
    except InputError as error:
        raise WorkflowError(str(error))


THREADS_HERE = simulation_threads(TARGETS, ALL_CORES)


def threads_of_batch(wildcards):
    return job_of_batch(wildcards).cores if goes_away() else THREADS_HERE


def threads_of_study(wildcards):
    if goes_away():
        return job_of_study(wildcards).cores
    return aggregation_threads(TARGETS, wildcards.study, ALL_CORES)


def memory_of_batch(wildcards, threads, attempt):
    return job_of_batch(wildcards).megabytes(threads, attempt)


def memory_of_study(wildcards, threads, attempt):
    return job_of_study(wildcards).megabytes(threads, attempt)


def minutes_of_batch(wildcards, threads, attempt):
    minutes = job_of_batch(wildcards).minutes(threads, attempt)
    return min(minutes, ALLOWED.get("simulate", minutes))


def minutes_of_study(wildcards, threads, attempt):
    minutes = job_of_study(wildcards).minutes(threads, attempt)
    return min(minutes, ALLOWED.get("aggregate", minutes))


def ask_slurm():
    """End the run with a sentence where Slurm would let it wait for ever."""
    jobs = [job for job in workflow.dag.needrun_jobs() if not job.is_local]
    settings = workflow.executor_settings
    said, allowed = before_submitting(
        jobs,
        settings.status_command,
        bool(settings.partition_config or "SNAKEMAKE_SLURM_PARTITIONS" in os.environ),
    )
    if said:
        sys.exit(f"deeplimits: nothing was submitted: {said}")
    ALLOWED.update({name: int(most) for name, most in allowed.items() if most < 1e9})
