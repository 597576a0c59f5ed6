"""The figures of gnn_dynamics/figures/catalogue.yaml."""


rule figures:
    input:
        **TABLES,
        figures=FIGURES,
        parts=PARTS,


rule plot_figure:
    input:
        unpack(lambda w: tables(*figure(w).tables)),
    output:
        png=report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category=lambda w: figure(w).category,
            labels=lambda w: {"figure": figure(w).label, "shows": figure(w).shows},
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
        figure=lambda w: asdict(figure(w)),
        code=lambda w: code("plot_figure", figure(w).path),
    message:
        "Draw {wildcards.figure}"
    script:
        "../scripts/plot_figure.py"
