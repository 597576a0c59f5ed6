"""The graph condition, the optimum and the label alignment, which need no training."""


rule spectral:
    input:
        **tables("graphs", *SPECTRAL_TABLES),
        parts=[parts(table) for table in SPECTRAL_TABLES],


rule check_graph_condition:
    input:
        graph="data/prepared/{dataset}.npz",
    output:
        table="<results>/parts/graph_condition/{dataset}.parquet",
    log:
        "<logs>/check_graph_condition/{dataset}.log",
    benchmark:
        "<benchmarks>/check_graph_condition/{dataset}.tsv"
    resources:
        **growing(mem_mb=1000 * config["graph_condition"]["memory_gb"], runtime=120),
    params:
        grid=config["graph_condition"],
        functions=own_functions.grid_digests(config),
        source=lambda w: source(w.dataset),
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
    resources:
        **growing(mem_mb=3000, per_input_mb=36, runtime=120),
    params:
        cells=lambda w: grid.squared_cells(config, w.dataset),
        functions=cell_functions,
        source=lambda w: source(w.dataset),
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
    resources:
        **growing(mem_mb=3000, per_input_mb=36, runtime=120),
    params:
        cells=lambda w: grid.squared_cells(config, w.dataset),
        functions=cell_functions,
        source=lambda w: source(w.dataset),
        code=code("measure_alignment"),
    message:
        "Measure the label alignment on {wildcards.dataset}"
    script:
        "../scripts/measure_alignment.py"
