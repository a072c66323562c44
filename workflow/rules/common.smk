# The plan, made once by the process that schedules; a job on a cluster node finds its todo file and plans nothing.
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from deeplimits.errors import InputError
from deeplimits.store.workflow import planned_receipts, prepare
from deeplimits.sweep.config import load_config

# `deeplimits` of the environment that runs Snakemake, whether or not that environment is activated.
shell.prefix(f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; ")

CONFIG_FILE = str((workflow.overwrite_configfiles or workflow.configfiles)[-1])
# Snakemake needs the number of cores only where it runs the jobs itself.
ALL_CORES = workflow.resource_settings.cores or 1

try:
    if workflow.is_main_process:
        SETTINGS, TARGETS = prepare(Path(CONFIG_FILE), config)
    else:
        SETTINGS, TARGETS = load_config(Path(CONFIG_FILE), config), {}
except InputError as error:
    # The message says which file and key; where in the workflow it was noticed would only distract.
    sys.exit(f"deeplimits: {error}")

RESULTS = SETTINGS.results.as_posix()
OPTIONS = f"--config {shlex.quote(CONFIG_FILE)} --results {shlex.quote(RESULTS)} --scale {SETTINGS.scale}"


wildcard_constraints:
    batch="[0-9a-f]+",
    study="[A-Za-z0-9_-]+",
    figure="[a-z0-9_]+",


def receipts_of_study(wildcards):
    try:
        return planned_receipts(SETTINGS.results, wildcards.study)
    except InputError as error:
        raise WorkflowError(str(error))
