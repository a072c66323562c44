# Seconds of work: not worth a job of its own on a cluster.
localrules:
    tables,


# What is about no study has nothing to say.
TABLES = multiext(f"{RESULTS}/tables", ".html", ".sha256") if TARGETS else []


rule tables:
    input:
        studies=[study.aggregate for study in TARGETS.values()],
    output:
        f"{RESULTS}/tables.sha256",
        page=report(
            f"{RESULTS}/tables.html",
            caption="../report/tables.rst",
            category="Distances and rates",
            labels={"figure": "tables", "study": "all"},
        ),
    log:
        f"{RESULTS}/logs/tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables.tsv"
    priority: SCORING
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        options=OPTIONS,
        studies=list(TARGETS),
    message:
        "Distances and rates of all studies, as tables"
    shell:
        f"{DEEPLIMITS} tables {{params.studies}} {{params.options}} > {{log:q}} 2>&1"
