rule simulate:
    input:
        # A batch is named by its blocks, so its todo never changes: its date does not matter.
        todo=ancient(f"{RESULTS}/batches/{{batch}}.todo.json"),
    output:
        receipt=f"{RESULTS}/batches/{{batch}}.json",
    log:
        f"{RESULTS}/logs/simulate/{{batch}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/simulate/{{batch}}.tsv"
    priority: SIMULATION
    conda:
        "../../environment.yml"
    threads: threads_of_batch
    resources:
        **not_named(mem_mb=memory_of_batch, runtime=minutes_of_batch),
    message:
        f"Simulating {about('batch', '{wildcards.batch}')}{ASKED}"
    shell:
        f"{DEEPLIMITS} simulate {{input.todo:q}} --threads {{threads}} > {{log:q}} 2>&1"
