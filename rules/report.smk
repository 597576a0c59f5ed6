"""The report of a run, with its configuration and the picture of the rules."""

RULES = [ROOT / "Snakefile", *sorted(ROOT.glob("rules/*.smk"))]


rule make_report:
    input:
        tables=TABLES.values(),
        figures=FIGURES,
        config="<results>/config.yaml",
        rulegraph="<results>/figures/rulegraph.png",
    output:
        report=report(
            "<results>/report.html",
            caption="../report/report.rst",
            category="Claims",
            labels={"figure": "report", "shows": "verdicts, figures and methods"},
        ),
    log:
        "<logs>/make_report.log",
    benchmark:
        "<benchmarks>/make_report.tsv"
    resources:
        **growing(mem_mb=2000, runtime=30),
    params:
        code=code("make_report"),
    message:
        "Make the report"
    script:
        "../scripts/make_report.py"


rule write_config:
    output:
        config="<results>/config.yaml",
    log:
        "<logs>/write_config.log",
    benchmark:
        "<benchmarks>/write_config.tsv"
    localrule: True
    resources:
        **growing(mem_mb=500, runtime=10),
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
        png=report(
            "<results>/figures/rulegraph.png",
            caption="../report/rulegraph.rst",
            category="Rules",
            labels={"figure": "rules", "shows": "what is made from what"},
        ),
        pdf="<results>/figures/rulegraph.pdf",
    log:
        "<logs>/draw_rulegraph.log",
    benchmark:
        "<benchmarks>/draw_rulegraph.tsv"
    localrule: True
    resources:
        **growing(mem_mb=1000, runtime=10),
    params:
        rules=digest([path.read_text() for path in RULES]),
        code=code("draw_rulegraph"),
    message:
        "Draw the rules"
    script:
        "../scripts/draw_rulegraph.py"
