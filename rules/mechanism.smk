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
