"""The figures of gnn_dynamics/figures/catalogue.yaml."""


rule figures:
    input:
        FIGURES,
        expand("<results>/tables/{table}.parquet", table=ALL_TABLES),
        PARTS,


rule plot_figure:
    input:
        unpack(tables_of_figure),
    output:
        png=report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category=lambda wildcards: entry_of_figure(wildcards)["category"],
            labels=labels_of_figure,
        ),
        pdf="<results>/figures/{figure}.pdf",
    log:
        "<logs>/plot_figure/{figure}.log",
    benchmark:
        "<benchmarks>/plot_figure/{figure}.tsv"
    wildcard_constraints:
        figure="|".join(FIGURE_NAMES),
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        figure=entry_of_figure,
        code=code_of_figure,
    message:
        "Draw {wildcards.figure}"
    script:
        "../scripts/plot_figure.py"
