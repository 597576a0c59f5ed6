"""Figures beyond the paper: conditions, bounds, and the mechanisms beside the accelerations."""


rule plot_graph_condition_depth:
    input:
        graph_condition="<results>/tables/graph_condition.parquet",
    output:
        png=report(
            "<results>/figures/graph_condition_depth.png",
            caption="../report/graph_condition_depth.rst",
            category="Theory against measurement",
            labels={"figure": "graph condition", "shows": "singular values by depth"},
        ),
        pdf="<results>/figures/graph_condition_depth.pdf",
    log:
        "<logs>/plot_graph_condition_depth.log",
    benchmark:
        "<benchmarks>/plot_graph_condition_depth.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("plot_graph_condition_depth"),
    message:
        "Draw the graph condition against depth"
    script:
        "../scripts/plot_graph_condition_depth.py"


rule plot_bound_tightness:
    input:
        bounds="<results>/tables/bounds.parquet",
    output:
        png=report(
            "<results>/figures/bound_tightness.png",
            caption="../report/bound_tightness.rst",
            category="Theory against measurement",
            labels={"figure": "bounds", "shows": "how tight the theorems are"},
        ),
        pdf="<results>/figures/bound_tightness.pdf",
    log:
        "<logs>/plot_bound_tightness.log",
    benchmark:
        "<benchmarks>/plot_bound_tightness.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("plot_bound_tightness"),
    message:
        "Draw the tightness of the bounds"
    script:
        "../scripts/plot_bound_tightness.py"


rule plot_mechanism:
    input:
        graph_condition="<results>/tables/graph_condition.parquet",
        gradient_terms="<results>/tables/gradient_terms.parquet",
        alignment="<results>/tables/alignment.parquet",
        comparisons="<results>/tables/comparisons.parquet",
    output:
        png=report(
            "<results>/figures/mechanism.png",
            caption="../report/mechanism.rst",
            category="Explanations",
            labels={
                "figure": "mechanism",
                "shows": "mechanisms beside the accelerations",
            },
        ),
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
        png=report(
            "<results>/figures/what_predicts.png",
            caption="../report/what_predicts.rst",
            category="Explanations",
            labels={
                "figure": "what predicts",
                "shows": "accelerations by graph property",
            },
        ),
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
        png=report(
            "<results>/figures/step_size.png",
            caption="../report/step_size.rst",
            category="Explanations",
            labels={"figure": "step size", "shows": "depth by flow time and by steps"},
        ),
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
