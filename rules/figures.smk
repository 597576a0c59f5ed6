"""Figures, the report and what the report shows of the workflow itself."""


rule figures:
    input:
        FIGURES,
        expand("<results>/tables/{table}.parquet", table=ALL_TABLES),
        PARTS,


rule plot_fig1_linear_vs_relu:
    input:
        training="<results>/tables/training.parquet",
    output:
        png="<results>/figures/fig1_linear_vs_relu.png",
        pdf="<results>/figures/fig1_linear_vs_relu.pdf",
    log:
        "<logs>/plot_fig1_linear_vs_relu.log",
    benchmark:
        "<benchmarks>/plot_fig1_linear_vs_relu.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("plot_fig1_linear_vs_relu"),
    message:
        "Draw figure 1"
    script:
        "../scripts/plot_fig1_linear_vs_relu.py"


rule plot_fig2_assumptions_linear:
    input:
        graph_condition="<results>/tables/graph_condition.parquet",
        time_condition="<results>/tables/time_condition.parquet",
    output:
        png="<results>/figures/fig2_assumptions_linear.png",
        pdf="<results>/figures/fig2_assumptions_linear.pdf",
    log:
        "<logs>/plot_fig2_assumptions_linear.log",
    benchmark:
        "<benchmarks>/plot_fig2_assumptions_linear.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("plot_fig2_assumptions_linear"),
    message:
        "Draw figure 2"
    script:
        "../scripts/plot_fig2_assumptions_linear.py"


rule plot_fig3_assumptions_multiscale:
    input:
        graph_condition="<results>/tables/graph_condition.parquet",
        time_condition="<results>/tables/time_condition.parquet",
    output:
        png="<results>/figures/fig3_assumptions_multiscale.png",
        pdf="<results>/figures/fig3_assumptions_multiscale.pdf",
    log:
        "<logs>/plot_fig3_assumptions_multiscale.log",
    benchmark:
        "<benchmarks>/plot_fig3_assumptions_multiscale.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("plot_fig3_assumptions_multiscale"),
    message:
        "Draw figure 3"
    script:
        "../scripts/plot_fig3_assumptions_multiscale.py"


rule plot_fig4_training_speed:
    input:
        training="<results>/tables/training.parquet",
    output:
        png="<results>/figures/fig4_training_speed.png",
        pdf="<results>/figures/fig4_training_speed.pdf",
    log:
        "<logs>/plot_fig4_training_speed.log",
    benchmark:
        "<benchmarks>/plot_fig4_training_speed.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("plot_fig4_training_speed"),
    message:
        "Draw figure 4"
    script:
        "../scripts/plot_fig4_training_speed.py"


rule plot_fig5_gradient_terms:
    input:
        gradient_terms="<results>/tables/gradient_terms.parquet",
    output:
        png="<results>/figures/fig5_gradient_terms.png",
        pdf="<results>/figures/fig5_gradient_terms.pdf",
    log:
        "<logs>/plot_fig5_gradient_terms.log",
    benchmark:
        "<benchmarks>/plot_fig5_gradient_terms.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("plot_fig5_gradient_terms"),
    message:
        "Draw figure 5"
    script:
        "../scripts/plot_fig5_gradient_terms.py"


rule plot_appendix:
    input:
        training="<results>/tables/training.parquet",
    output:
        png="<results>/figures/appendix_{dataset}.png",
        pdf="<results>/figures/appendix_{dataset}.pdf",
    log:
        "<logs>/plot_appendix/{dataset}.log",
    benchmark:
        "<benchmarks>/plot_appendix/{dataset}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("plot_appendix"),
    message:
        "Draw the appendix for {wildcards.dataset}"
    script:
        "../scripts/plot_appendix.py"


rule plot_graph_condition_depth:
    input:
        graph_condition="<results>/tables/graph_condition.parquet",
    output:
        png="<results>/figures/graph_condition_depth.png",
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
        png="<results>/figures/bound_tightness.png",
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


rule plot_claims:
    input:
        claims="<results>/tables/claims.parquet",
        comparisons="<results>/tables/comparisons.parquet",
    output:
        png="<results>/figures/claims.png",
        pdf="<results>/figures/claims.pdf",
    log:
        "<logs>/plot_claims.log",
    benchmark:
        "<benchmarks>/plot_claims.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("plot_claims"),
    message:
        "Draw the claims"
    script:
        "../scripts/plot_claims.py"


rule write_config:
    output:
        config="<results>/config.yaml",
    log:
        "<logs>/write_config.log",
    benchmark:
        "<benchmarks>/write_config.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime=10,
    params:
        config={key: value for key, value in config.items() if key != "mirror"},
        code=code("write_config"),
    message:
        "Write the configuration"
    script:
        "../scripts/write_config.py"


rule draw_rulegraph:
    input:
        config="<results>/config.yaml",
    output:
        png="<results>/figures/rulegraph.png",
        pdf="<results>/figures/rulegraph.pdf",
    log:
        "<logs>/draw_rulegraph.log",
    benchmark:
        "<benchmarks>/draw_rulegraph.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        rules=rule_files(),
        code=code("draw_rulegraph"),
    message:
        "Draw the rules"
    script:
        "../scripts/draw_rulegraph.py"


rule make_report:
    input:
        tables=expand("<results>/tables/{table}.parquet", table=ALL_TABLES),
        figures=FIGURES,
        config="<results>/config.yaml",
        rulegraph="<results>/figures/rulegraph.png",
    output:
        report="<results>/report.html",
    log:
        "<logs>/make_report.log",
    benchmark:
        "<benchmarks>/make_report.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("make_report"),
    message:
        "Make the report"
    script:
        "../scripts/make_report.py"
