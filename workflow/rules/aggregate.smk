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
        **not_named(mem_mb=memory_of_study, runtime=minutes_of_study),
    params:
        options=OPTIONS,
    message:
        f"Aggregating {about('study', '{wildcards.study}')}{ASKED}"
    shell:
        f"{DEEPLIMITS} aggregate {{wildcards.study}} --cores {{threads}} {{params.options}} > {{log:q}} 2>&1"
