"""Training: a job trains one block or several (`job_per`), with all seeds, labels and rates."""


rule grid:
    input:
        **tables(*TRAINING_TABLES),
        parts=[parts(table) for table in TRAINING_TABLES],


# New blocks and seeds alone are trained; others are kept (gnn_dynamics/workflow/kept_blocks.py).
# `update()` is not used: after a failure Snakemake would treat the old file as the new one.
rule train_block:
    input:
        graph="data/prepared/{dataset}.npz",
    output:
        training=f"<results>/parts/training/{JOB}.parquet",
        time_condition=f"<results>/parts/time_condition/{JOB}.parquet",
        gradient_terms=f"<results>/parts/gradient_terms/{JOB}.parquet",
        speed=f"<results>/parts/speed/{JOB}.parquet",
    log:
        f"<logs>/train_block/{JOB}.log",
    benchmark:
        f"<benchmarks>/train_block/{JOB}.tsv"
    resources:
        # Molecules need the most memory: 3.9 GB for a prepared file of 116 MB.
        **growing(mem_mb=2500, per_input_mb=36, runtime=240),
        gpu=1 if config["device"] == "cuda" else 0,
    params:
        blocks=blocks_of,
        settings=block_settings,
        functions=block_functions,
        device=config["device"],
        source=lambda w: source(w.dataset),
        code=code("train_block"),
    message:
        "Train {wildcards.experiment} on {wildcards.dataset}: {wildcards.models}"
    script:
        "../scripts/train_block.py"
