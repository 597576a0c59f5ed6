"""The figures of the paper, its appendix included."""


rule figures:
    input:
        FIGURES,
        expand("<results>/tables/{table}.parquet", table=ALL_TABLES),
        PARTS,


rule plot_fig1_linear_vs_relu:
    input:
        training="<results>/tables/training.parquet",
    output:
        png=report(
            "<results>/figures/fig1_linear_vs_relu.png",
            caption="../report/fig1_linear_vs_relu.rst",
            category="Figures of the paper",
            labels={"figure": "1", "shows": "linear and ReLU networks"},
        ),
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
        png=report(
            "<results>/figures/fig2_assumptions_linear.png",
            caption="../report/fig2_assumptions_linear.rst",
            category="Figures of the paper",
            labels={"figure": "2", "shows": "conditions of Theorem 1"},
        ),
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
        png=report(
            "<results>/figures/fig3_assumptions_multiscale.png",
            caption="../report/fig3_assumptions_multiscale.rst",
            category="Figures of the paper",
            labels={"figure": "3", "shows": "conditions of Theorem 2"},
        ),
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
        png=report(
            "<results>/figures/fig4_training_speed.png",
            caption="../report/fig4_training_speed.rst",
            category="Figures of the paper",
            labels={"figure": "4", "shows": "skip connections, depth, labels"},
        ),
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
        png=report(
            "<results>/figures/fig5_gradient_terms.png",
            caption="../report/fig5_gradient_terms.rst",
            category="Figures of the paper",
            labels={"figure": "5", "shows": "terms of the loss decrease"},
        ),
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
        png=report(
            "<results>/figures/appendix_{dataset}.png",
            caption="../report/appendix.rst",
            category="Figures of the paper",
            labels={"figure": "appendix", "shows": "all training curves, {dataset}"},
        ),
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
