"""The graph condition, the optimum and the label alignment, which need no training."""


rule spectral:
    input:
        expand("<results>/tables/{table}.parquet", table=["graphs", *SPECTRAL_TABLES]),
        all_parts(*SPECTRAL_TABLES),


rule check_graph_condition:
    input:
        graph="data/prepared/{dataset}.npz",
    output:
        table="<results>/parts/graph_condition/{dataset}.parquet",
    log:
        "<logs>/check_graph_condition/{dataset}.log",
    benchmark:
        "<benchmarks>/check_graph_condition/{dataset}.tsv"
    threads: 1
    resources:
        mem_mb=growing(int(1000 * config["graph_condition"]["memory_gb"])),
        runtime=growing(120),
    params:
        grid=config["graph_condition"],
        source=source,
        code=code("check_graph_condition"),
    message:
        "Check the graph condition on {wildcards.dataset}"
    script:
        "../scripts/check_graph_condition.py"


rule solve_optimum:
    input:
        graph="data/prepared/{dataset}.npz",
    output:
        table="<results>/parts/optimum/{dataset}.parquet",
    log:
        "<logs>/solve_optimum/{dataset}.log",
    benchmark:
        "<benchmarks>/solve_optimum/{dataset}.tsv"
    threads: 1
    resources:
        mem_mb=growing_with_input(3000, 36),
        runtime=growing(120),
    params:
        cells=optimum_cells,
        source=source,
        code=code("solve_optimum"),
    message:
        "Compute the optimum on {wildcards.dataset}"
    script:
        "../scripts/solve_optimum.py"


rule measure_alignment:
    input:
        graph="data/prepared/{dataset}.npz",
    output:
        table="<results>/parts/alignment/{dataset}.parquet",
    log:
        "<logs>/measure_alignment/{dataset}.log",
    benchmark:
        "<benchmarks>/measure_alignment/{dataset}.tsv"
    threads: 1
    resources:
        mem_mb=growing_with_input(3000, 36),
        runtime=growing(120),
    params:
        cells=optimum_cells,
        source=source,
        code=code("measure_alignment"),
    message:
        "Measure the label alignment on {wildcards.dataset}"
    script:
        "../scripts/measure_alignment.py"
