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
    resources:
        **growing(mem_mb=500, runtime=120),
    params:
        checksums=lambda w: CATALOGUE[w.dataset]["files"],
        code=code("fetch_dataset"),
    message:
        "Fetch {wildcards.dataset}"
    script:
        "../scripts/fetch_dataset.py"


rule prepare_graph:
    input:
        unpack(files_of_graph),
    output:
        graph="data/prepared/{dataset}.npz",
    log:
        "data/logs/prepare_graph/{dataset}.log",
    benchmark:
        "data/benchmarks/prepare_graph/{dataset}.tsv"
    resources:
        # A user's own files are read as a whole; text needs up to 22 times its size.
        **growing(mem_mb=2000, per_input_mb=22, runtime=30),
    params:
        entry=lambda w: content(w.dataset),
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
    resources:
        **growing(mem_mb=2000, runtime=30),
    params:
        source=[source(dataset) for dataset in config["datasets"]],
        code=code("tabulate_graphs"),
    message:
        "Tabulate the graphs"
    script:
        "../scripts/tabulate_graphs.py"
