"""Fetch official files, or read files inside a package, and prepare one artifact per graph."""


rule data:
    input:
        "<results>/tables/graphs.parquet",


# The script reads the mirror, so changing the mirror reruns nothing; changing a checksum reruns
# everything. The files are not declared as outputs, so that a broken download can resume.
rule fetch_dataset:
    output:
        manifest="data/raw/{dataset}/manifest.json",
    log:
        "data/logs/fetch_dataset/{dataset}.log",
    benchmark:
        "data/benchmarks/fetch_dataset/{dataset}.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=500,
        runtime=120,
    params:
        checksums=checksums,
        code=code("fetch_dataset"),
    message:
        "Fetch {wildcards.dataset}"
    script:
        "../scripts/fetch_dataset.py"


rule prepare_graph:
    input:
        manifest=raw_manifest,
        own=own_files,
    output:
        graph="data/prepared/{dataset}.npz",
    log:
        "data/logs/prepare_graph/{dataset}.log",
    benchmark:
        "data/benchmarks/prepare_graph/{dataset}.tsv"
    threads: 1
    resources:
        # A user's own files are read as a whole; text needs up to 22 times its size.
        mem_mb=growing_with_input(2000, 22),
        runtime=growing(30),
    params:
        entry=content_of_entry,
        code=code("prepare_graph"),
    message:
        "Prepare {wildcards.dataset}"
    script:
        "../scripts/prepare_graph.py"


rule tabulate_graphs:
    input:
        graphs=expand("data/prepared/{dataset}.npz", dataset=config["datasets"]),
    output:
        table="<results>/tables/graphs.parquet",
    log:
        "<logs>/tabulate_graphs.log",
    benchmark:
        "<benchmarks>/tabulate_graphs.tsv"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        source=[source_of(dataset) for dataset in config["datasets"]],
        code=code("tabulate_graphs"),
    message:
        "Tabulate the graphs"
    script:
        "../scripts/tabulate_graphs.py"
