"""Figures that ask why: the mechanisms beside the accelerations that they should explain."""


rule plot_mechanism:
    input:
        graph_condition="<results>/tables/graph_condition.parquet",
        gradient_terms="<results>/tables/gradient_terms.parquet",
        alignment="<results>/tables/alignment.parquet",
        comparisons="<results>/tables/comparisons.parquet",
    output:
        png="<results>/figures/mechanism.png",
        pdf="<results>/figures/mechanism.pdf",
    log:
        "<logs>/plot_mechanism.log",
    benchmark:
        "<benchmarks>/plot_mechanism.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("plot_mechanism"),
    message:
        "Draw the mechanisms beside the accelerations"
    script:
        "../scripts/plot_mechanism.py"


rule plot_what_predicts:
    input:
        comparisons="<results>/tables/comparisons.parquet",
        graphs="<results>/tables/graphs.parquet",
        graph_condition="<results>/tables/graph_condition.parquet",
        alignment="<results>/tables/alignment.parquet",
    output:
        png="<results>/figures/what_predicts.png",
        pdf="<results>/figures/what_predicts.pdf",
    log:
        "<logs>/plot_what_predicts.log",
    benchmark:
        "<benchmarks>/plot_what_predicts.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("plot_what_predicts"),
    message:
        "Draw the accelerations against what might predict them"
    script:
        "../scripts/plot_what_predicts.py"


rule plot_step_size:
    input:
        comparisons="<results>/tables/comparisons.parquet",
        training="<results>/tables/training.parquet",
    output:
        png="<results>/figures/step_size.png",
        pdf="<results>/figures/step_size.pdf",
    log:
        "<logs>/plot_step_size.log",
    benchmark:
        "<benchmarks>/plot_step_size.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("plot_step_size"),
    message:
        "Draw the effect of depth by step size"
    script:
        "../scripts/plot_step_size.py"
