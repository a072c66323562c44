# Seconds of work: not worth a job of its own on a cluster.
localrules:
    figure,


rule figure:
    input:
        receipt=f"{RESULTS}/studies/{{study}}.json",
    output:
        multiext(f"{RESULTS}/figures/{{study}}/{{figure}}", ".pdf", ".svg", ".sha256"),
        # one of the three is enough for a report
        report(
            f"{RESULTS}/figures/{{study}}/{{figure}}.png",
            caption="../report/figure.rst",
            category=category_of_figure,
            labels={"figure": "{figure}", "study": "{study}"},
        ),
    log:
        f"{RESULTS}/logs/figure/{{study}}/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure/{{study}}/{{figure}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        options=OPTIONS,
        caption=caption_of_figure,
        made_with=sources_of_figure,
    message:
        "Drawing {wildcards.figure} of study {wildcards.study}"
    shell:
        f"{DEEPLIMITS} figure {{wildcards.study}}/{{wildcards.figure}} {{params.options}} > {{log:q}} 2>&1"
