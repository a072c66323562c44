# The plan, made once by the process that schedules; a job on a cluster node finds its todo file and plans nothing.
import shlex
import sys
from pathlib import Path

from jinja2 import Template
from snakemake.exceptions import WorkflowError

from deeplimits.errors import InputError
from deeplimits.store.workflow import planned_receipts, prepare, study_facts
from deeplimits.sweep.claims import DEFAULT_FOLDER as CLAIMS_FOLDER
from deeplimits.sweep.config import load_config

# `deeplimits` of the environment that runs Snakemake, whether or not that environment is activated.
shell.prefix(f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; ")

CONFIG_FILE = str((workflow.overwrite_configfiles or workflow.configfiles)[-1])
# Snakemake needs the number of cores only where it runs the jobs itself.
ALL_CORES = workflow.resource_settings.cores or 1

try:
    if workflow.is_main_process:
        SETTINGS, TARGETS = prepare(Path(CONFIG_FILE), config, CLAIMS_FOLDER)
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


# The caption of a report names one file for the whole rule: figure.rst prints what is in FIGURE.rst beside it.
CAPTIONS = Path(
    workflow.current_basedir.join("../report").get_path_or_uri(secret_free=True)
)
PAPERS = {
    "lnr22": "Li, Nica & Roy 2022",
    "ln24": "Li & Nica 2024",
    "h22": "Hayou 2022",
}


def caption_of_figure(wildcards):
    path = CAPTIONS / f"{wildcards.figure}.rst"
    text = path.read_text(encoding="utf-8") if path.exists() else "{{ title }}"
    try:
        facts = study_facts(SETTINGS.results, wildcards.study)
    except InputError as error:
        raise WorkflowError(str(error))
    return Template(text).render(study=wildcards.study, **facts)


def category_of_figure(wildcards):
    return PAPERS.get(wildcards.figure.partition("_")[0], "Any study")
