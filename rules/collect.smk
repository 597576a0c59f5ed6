"""Tables that are collected from parts, one part for each graph or block."""


rule collect_table:
    input:
        parts=lambda w: parts(w.table),
    output:
        table="<results>/tables/{table}.parquet",
    log:
        "<logs>/collect_table/{table}.log",
    benchmark:
        "<benchmarks>/collect_table/{table}.tsv"
    wildcard_constraints:
        table="|".join([*SPECTRAL_TABLES, *TRAINING_TABLES]),
    resources:
        **growing(mem_mb=2000, runtime=60),
    params:
        code=code("collect_table"),
    message:
        "Collect the table {wildcards.table}"
    script:
        "../scripts/collect_table.py"
