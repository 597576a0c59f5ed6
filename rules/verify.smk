"""Compare theory and measurement: bounds along gradient flow, paired comparisons, verdicts."""


rule claims:
    input:
        **TABLES,
        figure="<results>/figures/claims.png",
        parts=PARTS,


rule check_bounds:
    input:
        **observed("flow"),
    output:
        table="<results>/tables/bounds.parquet",
    log:
        "<logs>/check_bounds.log",
    benchmark:
        "<benchmarks>/check_bounds.tsv"
    resources:
        **growing(mem_mb=4000, runtime=60),
    params:
        code=code("check_bounds"),
    message:
        "Compare the bounds with the gradient flows"
    script:
        "../scripts/check_bounds.py"


rule check_guarantees:
    input:
        **observed("gd"),
        bounds="<results>/tables/bounds.parquet",
    output:
        guarantees="<results>/tables/guarantees.parquet",
        descent_limits="<results>/tables/descent_limits.parquet",
    log:
        "<logs>/check_guarantees.log",
    benchmark:
        "<benchmarks>/check_guarantees.tsv"
    resources:
        **growing(mem_mb=4000, runtime=60),
    params:
        code=code("check_guarantees"),
    message:
        "Compare the guarantees with gradient descent"
    script:
        "../scripts/check_guarantees.py"


rule check_negative_results:
    input:
        bounds="<results>/tables/bounds.parquet",
    output:
        table="<results>/tables/negative_results.parquet",
        curves="<results>/tables/negative_curves.parquet",
    log:
        "<logs>/check_negative_results.log",
    benchmark:
        "<benchmarks>/check_negative_results.tsv"
    resources:
        **growing(mem_mb=2000, runtime=30),
    params:
        code=code("check_negative_results"),
    message:
        "Check the statements that fail"
    script:
        "../scripts/check_negative_results.py"


rule compare_runs:
    input:
        **tables("speed", "training", "time_condition", "gradient_terms", "bounds"),
        **tables("graph_condition", "optimum", "graphs"),
    output:
        **tables("comparisons", "evidence", "predictions"),
    log:
        "<logs>/compare_runs.log",
    benchmark:
        "<benchmarks>/compare_runs.tsv"
    resources:
        **growing(mem_mb=4000, runtime=60),
    params:
        claims=COMPARISONS,
        code=code("compare_runs"),
    message:
        "Compare runs in pairs"
    script:
        "../scripts/compare_runs.py"


rule judge_claims:
    input:
        **tables("comparisons", "evidence"),
    output:
        table=report(
            "<results>/tables/claims.parquet",
            caption="../report/claims_table.rst",
            category="Claims",
            labels={"figure": "table", "shows": "verdicts, as Parquet"},
        ),
    log:
        "<logs>/judge_claims.log",
    benchmark:
        "<benchmarks>/judge_claims.tsv"
    resources:
        **growing(mem_mb=1000, runtime=30),
    params:
        claims=CLAIMS,
        code=code("judge_claims"),
    message:
        "Judge the claims"
    script:
        "../scripts/judge_claims.py"
