# The plan, made once by the process that schedules; a job on a cluster node finds its todo file and plans nothing.
import atexit
import os
import shlex
import signal
import sys
from pathlib import Path

from jinja2 import Template
from snakemake.exceptions import WorkflowError

from deeplimits.errors import InputError, one_line
from deeplimits.figures import figures
from deeplimits.jobs.arguments import takes_locks
from deeplimits.store.errors import StoreError
from deeplimits.jobs.messages import Messages
from deeplimits.jobs.processes import die_with, handle_in_a_thread
from deeplimits.jobs.runs import RunFolder, tell
from deeplimits.jobs.turns import take_turn
from deeplimits.jobs.workflow import (
    check_target,
    planned_receipts,
    prepare,
    study_facts,
)
from deeplimits.sweep.config import DEFAULT_CLAIMS, load_config
from deeplimits.sweep.looks import Look
from deeplimits.sweep.study import read_study

# Jobs read and write more than Snakemake knows of: containers and study stores, whose receipts alone are its outputs, and
# the plan reads receipts before there is a job. A storage would get the receipts without what they are receipts of.
STORAGE = workflow.storage_settings.default_storage_provider
if STORAGE is not None:
    sys.exit(
        f"deeplimits: found a storage by {STORAGE}, expected a file system that all jobs share: they read and write the "
        "folder of results directly; docs/clusters.md says what to do on a cluster without one"
    )

# `deeplimits` of the environment that runs Snakemake, whether or not that environment is activated. Braces are
# Snakemake's own in a shell command.
DEEPLIMITS = (
    shlex.quote(str(Path(sys.executable).with_name("deeplimits")))
    .replace("{", "{{")
    .replace("}", "}}")
)
# Snakemake needs the number of cores only where it runs the jobs itself.
ALL_CORES = workflow.resource_settings.cores or 1
# What is ready first is not what is best first: simulations are long, and the more is left for the end that is
# short, the less cores are idle there. The scoreboard waits for all studies, figures for one each.
SIMULATION, AGGREGATION, SCORING = 3, 2, 1
IS_MODULE = not workflow.modifier.is_main_snakefile()


def near(path):
    """A path of the working folder without the way to that folder, so that it is the same however it was named."""
    path = Path(os.path.normpath(path))
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if IS_MODULE:
    # The workflow around it has a configuration of its own, and names the file of this one.
    SETTINGS_GIVEN = dict(config)
    CONFIG_FILE = SETTINGS_GIVEN.pop("configfile", None)
    if not isinstance(CONFIG_FILE, str):
        sys.exit(
            "deeplimits: as a module it needs `config: {'configfile': 'FOLDER/config.yaml'}`, with the studies in "
            "FOLDER/studies; docs/workflow.md shows it"
        )
else:
    SETTINGS_GIVEN = config
    CONFIG_FILE = near(
        (workflow.overwrite_configfiles or workflow.configfiles)[-1]
    ).as_posix()
SHIPPED_CLAIMS = near(
    workflow.current_basedir.join("../../claims").get_path_or_uri(secret_free=True)
)

# `make` names its own process: killed, it takes this one along, and does not leave it to hold the locks.
PARENT = os.environ.pop("DEEPLIMITS_MAKE", "")
if workflow.is_main_process and PARENT.isdigit() and not die_with(int(PARENT)):
    sys.exit("deeplimits: the `make` that started this was killed")

# Another run on the same results is waited for before anything is planned; the turn ends with this process.
IS_RUN = (
    workflow.is_main_process
    and not workflow.output_settings.dryrun
    and takes_locks(sys.argv[1:])
)

try:
    if IS_RUN:
        planned_for = load_config(Path(CONFIG_FILE), SETTINGS_GIVEN, SHIPPED_CLAIMS)
        turn = take_turn(planned_for.results, sys.argv, tell)
        if turn is not None:
            atexit.register(turn.end)
    if workflow.is_main_process:
        SETTINGS, TARGETS = prepare(
            Path(CONFIG_FILE), SETTINGS_GIVEN, SHIPPED_CLAIMS, tell
        )
    else:
        SETTINGS, TARGETS = (
            load_config(Path(CONFIG_FILE), SETTINGS_GIVEN, SHIPPED_CLAIMS),
            {},
        )
except (InputError, StoreError, OSError) as error:
    # The message says which file and key; where in the workflow it was noticed would only distract.
    several = ""
    if len(workflow.overwrite_configfiles) > 1:
        several = (
            "; --configfile takes every word up to the next option for a file of configuration, and what is to be "
            "made comes after `--`"
        )
    sys.exit(f"deeplimits: {one_line(error)}{several}")

RESULTS = SETTINGS.results.as_posix()
OPTIONS = f"--config {shlex.quote(CONFIG_FILE)} --results {shlex.quote(RESULTS)} --scale {SETTINGS.scale}"

# Whose the locks in .snakemake are; Snakemake takes its own after this, and tells none of it.
RUNS = RunFolder(Path(".snakemake"))
if workflow.is_main_process:
    if "--unlock" in sys.argv:
        living = RUNS.unlock()
        if living:
            sys.exit(f"deeplimits: not unlocked, for a run holds these locks: {living}")
    elif workflow.output_settings.dryrun:
        RUNS.look()
    elif IS_RUN:
        try:
            RUNS.begin(None if IS_MODULE else RESULTS, sys.argv)
        except OSError as error:
            sys.exit(f"deeplimits: {one_line(error)}")
        if IS_MODULE or "--no-hooks" in sys.argv:
            # nobody will call `onstart`
            RUNS.free_guard()


# A message of Snakemake calls no function: it names its job in the place of a format. In a module it sees nothing that
# is defined here.
ABOUT = Messages(TARGETS)


def about(kind, wildcard):
    """The part of a message that says what a job is about."""
    return f"{kind} {wildcard}" if IS_MODULE else f"{{ABOUT:{kind} {wildcard}.}}"


wildcard_constraints:
    batch="[0-9a-f]+",
    study="[A-Za-z0-9_-]+",
    figure="[a-z0-9_]+",
    target=r"[^/.]+",


def receipts_of_study(wildcards):
    try:
        return planned_receipts(SETTINGS.results, wildcards.study)
    except InputError as error:
        raise WorkflowError(str(error))


def refused_target(wildcards):
    names = [rule.name for rule in workflow.rules if not rule.has_wildcards()]
    try:
        check_target(wildcards.target, names, SETTINGS)
    except InputError as error:
        # what Snakemake says around an error is about this function
        sys.exit(f"deeplimits: {one_line(error)}")


# The caption of a report names one file for the whole rule: figure.rst prints what the figure says of itself.
PAPERS = {
    "lnr22": "Li, Nica & Roy 2022",
    "ln24": "Li & Nica 2024",
    "h22": "Hayou 2022",
}


def sources_of_figure(wildcards):
    """What no file that it is drawn from tells of: the sources of a figure of another package, and the title and colours
    that the study file has for it.
    """
    try:
        looks = read_study(SETTINGS.study_path(wildcards.study)).looks
    except InputError as error:
        raise WorkflowError(str(error))
    look = looks.get(wildcards.figure, Look())
    chosen = [] if look == Look() else [repr(look)]
    return "; ".join([figures().sources(wildcards.figure) or "", *chosen])


def caption_of_figure(wildcards):
    try:
        facts = study_facts(SETTINGS.results, wildcards.study)
    except InputError as error:
        raise WorkflowError(str(error))
    return Template(figures()[wildcards.figure].CAPTION).render(
        study=wildcards.study, **facts
    )


def category_of_figure(wildcards):
    return PAPERS.get(wildcards.figure.partition("_")[0], "Any study")
