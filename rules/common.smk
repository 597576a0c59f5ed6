"""The checked configuration, and the lists and input functions that the rules share."""

from dataclasses import asdict
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

from gnn_dynamics.workflow import check_config as configuration
from gnn_dynamics.config import grid
from gnn_dynamics.claims.settings import load_claims
from gnn_dynamics.data.fetch.catalogue import load_catalogue
from gnn_dynamics.errors import UserError
from gnn_dynamics.workflow.paths import check_places
from gnn_dynamics.config.schema import read_yaml
from gnn_dynamics.artifacts.code_digest import code_digest, text_digest
from gnn_dynamics.figures import registry

# Not `workflow.basedir`, which is the importing workflow's where this one is a module.
ROOT = Path(workflow.snakefile).parents[1]

try:
    # What an importing workflow gives in `config:` comes without the defaults, which a
    # `configfile:` has; the importer's own mapping stays as it is.
    given, config = config, read_yaml(ROOT / "config" / "config.yaml")
    update_config(config, given)
    CATALOGUE = load_catalogue(ROOT / "config" / "datasets.yaml")
    CLAIMS = load_claims(ROOT / "config" / "claims.yaml")
    SCHEMA = read_yaml(ROOT / "config" / "schema.yaml")
    configuration.check_config(config, SCHEMA, CATALOGUE)
    config.update(configuration.without_left_out(config))
    check_places(config, CATALOGUE, Path.cwd())
except UserError as error:
    raise WorkflowError(str(error)) from None

BLOCKS = grid.blocks(config)
TRAINED = sorted({block.dataset for block in BLOCKS})
APPENDIX = sorted(
    {
        block.dataset
        for block in BLOCKS
        if grid.is_named(block.experiment, "curves", "labels")
    }
)

# A block's place below a folder: Block.id with wildcards in it.
BLOCK = "{experiment}/{dataset}/{aggregation}-{activation}-{skip}-H{depth}"
TRAINING_TABLES = ["training", "time_condition", "gradient_terms", "speed"]
SPECTRAL_TABLES = ["graph_condition", "optimum", "alignment"]
THEORY_TABLES = [
    "bounds",
    "guarantees",
    "descent_limits",
    "negative_results",
    "negative_curves",
]
CLAIM_TABLES = ["comparisons", "claims"]
ALL_TABLES = [
    "graphs",
    *SPECTRAL_TABLES,
    *TRAINING_TABLES,
    *THEORY_TABLES,
    *CLAIM_TABLES,
]
FIGURE_NAMES = [
    *(figure.stem for figure in registry.FIGURES),
    *(f"appendix_{dataset}" for dataset in APPENDIX),
]
FIGURES = expand("<results>/figures/{name}.png", name=FIGURE_NAMES)


wildcard_constraints:
    dataset="|".join(map(re.escape, CATALOGUE)),
    experiment="[a-z0-9-]+",
    aggregation="[a-z]+",
    activation="[a-z]+",
    skip="skip|noskip",
    depth="[0-9]+",


def code(rule, *modules):
    """Digests of a rule's script and of further modules, with all that they import.

    They are a param of the rule, so that it runs again exactly when its code has changed.
    """
    return "+".join(
        code_digest(ROOT / path, ROOT) for path in (f"scripts/{rule}.py", *modules)
    )


def figure(wildcards):
    """What the catalogue says about a figure."""
    return registry.entry(wildcards.figure)


def tables_of_figure(wildcards):
    """The tables that a figure is drawn from, by name."""
    return {
        table: f"<results>/tables/{table}.parquet" for table in figure(wildcards).tables
    }


def observed(optimizer):
    """Linear blocks to hold against the theorems: squared loss, with the time condition."""
    names = {
        entry["name"]
        for entry in config["experiments"]
        if optimizer in entry["optimizer"]
        and "squared" in entry["loss_fn"]
        and "time_condition" in entry.get("observe", [])
    }
    return [
        block
        for block in BLOCKS
        if block.experiment in names and block.activation == "linear"
    ]


def parts(table, blocks):
    """Paths of one table's parts, for some blocks."""
    return [f"<results>/parts/{table}/{block.id}.parquet" for block in blocks]


def parts_of_table(wildcards):
    """Paths of all parts of a table that is written in parts."""
    return all_parts(wildcards.table)


def all_parts(*tables):
    """Paths of all parts of some tables that are written in parts."""
    paths = []
    for table in tables:
        if table in TRAINING_TABLES:
            paths += parts(table, BLOCKS)
        else:
            datasets = config["datasets"] if table == "graph_condition" else TRAINED
            path = "<results>/parts/{table}/{dataset}.parquet"
            paths += expand(path, table=table, dataset=datasets)
    return paths


# A failed job's outputs are deleted. Snakemake makes them again only if a target names them or what
# follows from them is absent or outdated by itself: else a second run would find old tables there
# and nothing to be done. So targets name the parts, and what reads a graph has its source as a param.
PARTS = all_parts(*SPECTRAL_TABLES, *TRAINING_TABLES)


def block_of(wildcards):
    """The block that a training job trains, as the keys of grid.Block."""
    return {
        "experiment": wildcards.experiment,
        "dataset": wildcards.dataset,
        "aggregation": wildcards.aggregation,
        "activation": wildcards.activation,
        "multiscale": wildcards.skip == "skip",
        "depth": int(wildcards.depth),
    }


def block_settings(wildcards):
    """What a block depends on: its experiment without the lists that tell blocks apart."""
    entry = grid.entry(config, wildcards.experiment)
    apart = {"name", "datasets", "aggregation", "activation", "multiscale", "depth"}
    return {key: value for key, value in entry.items() if key not in apart}


def optimum_cells(wildcards):
    """The cells of a dataset whose optimum is computed."""
    return grid.squared_cells(config, wildcards.dataset)


def comparisons_of_claims():
    """What decides the cells of the claims: neither words nor the rule for verdicts."""
    checks = {
        name: {"check": claim["check"]} for name, claim in CLAIMS["claims"].items()
    }
    return {"rule": {"comparison": CLAIMS["rule"]["comparison"]}, "claims": checks}


def rule_files():
    """Digest of the rules' own text, which the picture of the rules depends on."""
    files = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]
    return text_digest(files)


def checksums(wildcards):
    """The files of a dataset and the SHA-256 that each must have."""
    return CATALOGUE[wildcards.dataset]["files"]


def content_of_entry(wildcards):
    """What a prepared graph depends on: its catalogue entry without remarks."""
    return content(wildcards.dataset)


def content(dataset):
    """A catalogue entry without remarks."""
    entry = CATALOGUE[dataset]
    remarks = ("title", "licence", "reference", "note")
    return {key: value for key, value in entry.items() if key not in remarks}


def source(wildcards):
    """What the graph of a job is made of and by."""
    return source_of(wildcards.dataset)


def source_of(dataset):
    """A graph's entry, without remarks and without the places of own files, and its code."""
    entry = content(dataset)
    roles = {"files": sorted(entry["files"])} if entry["reader"] == "own" else {}
    return [entry | roles, code("prepare_graph")]


def raw_manifest(wildcards):
    """The list of fetched files; nothing where nothing is fetched: packaged data, own files."""
    packaged = CATALOGUE[wildcards.dataset]["reader"] in ("embedded", "own")
    return [] if packaged else f"data/raw/{wildcards.dataset}/manifest.json"


def own_files(wildcards):
    """A user's own files, which are inputs themselves: what changes them reruns what follows."""
    entry = CATALOGUE[wildcards.dataset]
    return list(entry["files"].values()) if entry["reader"] == "own" else []
