# From study files to figures. Every rule runs one verb of the command line `deeplimits`; what there is to do is planned by
# the package, block by block, and Snakemake sees jobs of many blocks. docs/workflow.md explains targets and profiles.
from snakemake.utils import min_version

min_version("9.14")


# A file named with --configfile takes the place of this one: nothing of the two is mixed.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/requests.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/aggregate.smk"
include: "workflow/rules/figure.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/tables.smk"


# Snakemake holds its locks now.
onstart:
    RUNS.locked()
    handle_in_a_thread(signal.SIGTERM)
    if workflow.executor_plugin.name == "slurm":
        ask_slurm()


onsuccess:
    made = [
        Path(RESULTS, each) for each in ("figures", "tables.html", "claims.html")
    ]
    if there := [path.as_posix() for path in made if path.exists()]:
        tell(f"what came of it: {', '.join(there)}; deeplimits show STUDY")


# What can be asked for by name: everything, one kind of thing, one study, one figure.
localrules:
    all,
    simulations,
    aggregates,
    figures,


rule all:
    input:
        [path for study in TARGETS.values() for path in study.all],
        SCOREBOARD,
        TABLES,
    message:
        "Everything is there"


rule simulations:
    input:
        [path for study in TARGETS.values() for path in study.batches],
    message:
        "Every simulation is there"


rule aggregates:
    input:
        [study.aggregate for study in TARGETS.values()],
    message:
        "Every study is compared with its limits"


rule figures:
    input:
        [
            path
            for study in TARGETS.values()
            for files in study.figures.values()
            for path in files
        ],
    message:
        "Every figure is drawn"


for study_name, study in TARGETS.items():

    rule:
        name:
            study_name
        input:
            study.all,
        localrule: True
        message:
            f"Study {study_name} is complete"


for figure_name in sorted(
    {name for study in TARGETS.values() for name in study.figures} - set(TARGETS)
):

    rule:
        name:
            figure_name
        input:
            [
                path
                for study in TARGETS.values()
                for path in study.figures.get(figure_name, ())
            ],
        localrule: True
        message:
            f"{figure_name} is drawn"


# A name that is none of these would be taken for a file that no rule makes. As a module this is not asked for names.
if not IS_MODULE:

    rule:
        name:
            "unknown"
        input:
            refused_target,
        output:
            "{target}",
        localrule: True
