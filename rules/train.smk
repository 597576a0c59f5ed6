"""Training: one job per block, with all its seeds, labels, widths and learning rates."""


rule grid:
    input:
        **tables(*TRAINING_TABLES),
        parts=[parts(table) for table in TRAINING_TABLES],


# A new seed trains only this seed; earlier ones are kept (gnn_dynamics/workflow/kept_seeds.py).
# `update()` is not used: after a failure Snakemake would treat the old file as the new one.
rule train_block:
    input:
        graph="data/prepared/{dataset}.npz",
    output:
        training=f"<results>/parts/training/{BLOCK}.parquet",
        time_condition=f"<results>/parts/time_condition/{BLOCK}.parquet",
        gradient_terms=f"<results>/parts/gradient_terms/{BLOCK}.parquet",
        speed=f"<results>/parts/speed/{BLOCK}.parquet",
    log:
        f"<logs>/train_block/{BLOCK}.log",
    benchmark:
        f"<benchmarks>/train_block/{BLOCK}.tsv"
    resources:
        # Molecules need the most memory: 3.9 GB for a prepared file of 116 MB.
        **growing(mem_mb=2500, per_input_mb=36, runtime=240),
        gpu=1 if config["device"] == "cuda" else 0,
    params:
        block=block_of,
        settings=block_settings,
        device=config["device"],
        source=lambda w: source(w.dataset),
        code=code("train_block"),
    message:
        (
            "Train {wildcards.experiment} on {wildcards.dataset}: {wildcards.aggregation},"
            " {wildcards.activation}, {wildcards.skip}, H = {wildcards.depth}"
        )
    script:
        "../scripts/train_block.py"
