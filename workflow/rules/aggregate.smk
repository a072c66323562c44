rule aggregate:
    input:
        todo=f"{RESULTS}/studies/{{study}}.todo.json",
        receipts=receipts_of_study,
    output:
        receipt=f"{RESULTS}/studies/{{study}}.json",
    log:
        f"{RESULTS}/logs/aggregate/{{study}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/aggregate/{{study}}.tsv"
    priority: AGGREGATION
    conda:
        "../../environment.yml"
    threads: threads_of_study
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        options=OPTIONS,
    message:
        f"Aggregating {about('study', '{wildcards.study}')}"
    shell:
        f"{DEEPLIMITS} aggregate {{wildcards.study}} --cores {{threads}} {{params.options}} > {{log:q}} 2>&1"
