from deeplimits.jobs.dates import is_ahead
from deeplimits.store.digests import digest


# Seconds of work: not worth a job of its own on a cluster.
localrules:
    claims,


# A project without claims has no scoreboard.
CLAIMS = [
    path.as_posix()
    for path in (sorted(SETTINGS.claims.glob("*.yaml")) if SETTINGS.claims else [])
]
SCOREBOARD = (
    multiext(f"{RESULTS}/claims", ".json", ".html", ".pdf", ".svg", ".png", ".sha256")
    if CLAIMS
    else []
)


# What `deeplimits claims` finds by itself is not said to it.
CLAIMS_OPTION = (
    f" --claims {shlex.quote(SETTINGS.claims.as_posix())}"
    if CLAIMS and SETTINGS.claims != DEFAULT_CLAIMS
    else ""
)


# A claim whose study the configuration leaves out is on the scoreboard as undecided.
rule claims:
    input:
        # what is dated in the future would be newer than all that is made of it: the digests tell of a change as well
        claims=[path for path in CLAIMS if not is_ahead(Path(path))],
        studies=[study.aggregate for study in TARGETS.values()],
    output:
        multiext(f"{RESULTS}/claims", ".pdf", ".svg", ".sha256"),
        picture=report(
            f"{RESULTS}/claims.png",
            caption="../report/claims_scoreboard.rst",
            category="Claims",
            labels={"figure": "scoreboard, drawn", "study": "all"},
        ),
        verdicts=f"{RESULTS}/claims.json",
        page=report(
            f"{RESULTS}/claims.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"figure": "scoreboard", "study": "all"},
        ),
    log:
        f"{RESULTS}/logs/claims.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims.tsv"
    priority: SCORING
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        options=OPTIONS + CLAIMS_OPTION,
        claims=CLAIMS,
        stated=[digest(Path(path)) for path in CLAIMS],
        # the page leads to them
        figures=[
            f"{name}/{each}" for name, of in TARGETS.items() for each in of.figures
        ],
    message:
        "Holding {params.claims} against the studies"
    shell:
        f"{DEEPLIMITS} claims {{params.options}}"
        " --out {output.verdicts:q} --page {output.page:q}"
        " --figure {output.picture:q} > {log:q} 2>&1"
