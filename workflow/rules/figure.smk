# Seconds of work: not worth a job of its own on a cluster.
localrules:
    figure,


rule figure:
    input:
        receipt=f"{RESULTS}/studies/{{study}}.json",
    output:
        multiext(f"{RESULTS}/figures/{{study}}/{{figure}}", ".pdf", ".svg", ".png"),
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
    message:
        "Drawing {wildcards.figure} of study {wildcards.study}"
    shell:
        "deeplimits figure {wildcards.study}/{wildcards.figure} {params.options} > {log} 2>&1"
