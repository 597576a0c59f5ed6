"""The checked configuration, and the lists and input functions that the rules share."""

from dataclasses import asdict
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

from gnn_dynamics.workflow.check_config import (
    check_config,
    check_paths,
    without_left_out,
)
from gnn_dynamics.workflow import own_functions
from gnn_dynamics.config import grid
from gnn_dynamics.data.fetch.catalogue import load_catalogue
from gnn_dynamics.errors import UserError
from gnn_dynamics.config.schema import read_checked, read_yaml
from gnn_dynamics.artifacts.code_digest import code_digest
from gnn_dynamics.artifacts.provenance import digest
from gnn_dynamics.figures import registry

# Not `workflow.basedir`, which is the importing workflow's where this one is a module.
ROOT = Path(workflow.snakefile).parents[1]

try:
    # What an importing workflow gives in `config:` comes without the defaults, which a
    # `configfile:` has; the importer's own mapping stays as it is.
    given, config = config, read_yaml(ROOT / "config" / "config.yaml")
    update_config(config, given)
    CATALOGUE = load_catalogue(ROOT / "config" / "datasets.yaml")
    CLAIMS = read_checked(ROOT / "config" / "claims.yaml")
    SCHEMA = read_yaml(ROOT / "config" / "schema.yaml")
    check_config(config, SCHEMA, CATALOGUE)
    config.update(without_left_out(config))
    check_paths(config, CATALOGUE, Path.cwd())
    own_functions.check_functions(config)
except UserError as error:
    raise WorkflowError(str(error)) from None

# What decides the cells and the evidence of the claims: no words.
COMPARISONS = {
    "rule": CLAIMS["rule"],
    "claims": {
        name: {"check": claim["check"]} for name, claim in CLAIMS["claims"].items()
    },
}
BLOCKS = grid.blocks(config)
JOBS = grid.jobs(config)
TRAINED = sorted({block.dataset for block in BLOCKS})
APPENDIX = sorted(
    {
        block.dataset
        for block in BLOCKS
        if grid.is_named(block.experiment, "curves", "labels")
    }
)


# The path of a training job below a folder: a name of JOBS with wildcards in it.
JOB = "{experiment}/{dataset}/{models}"
TRAINING_TABLES = ["training", "time_condition", "gradient_terms", "speed"]
# Tables about graphs alone, and the datasets that each is made for.
SPECTRAL_TABLES = {
    "graph_condition": config["datasets"],
    "optimum": TRAINED,
    "alignment": TRAINED,
}
FIGURE_NAMES = [
    *(figure.stem for figure in registry.FIGURES),
    *(f"appendix_{dataset}" for dataset in APPENDIX),
]
FIGURES = expand("<results>/figures/{name}.png", name=FIGURE_NAMES)


wildcard_constraints:
    dataset="|".join(map(re.escape, CATALOGUE)),
    experiment="[a-z0-9-]+",
    models="[A-Za-z0-9_.+~-]+",


def code(rule, *modules):
    """Digests of a rule's script and of further modules, with all that they import.

    They are a param of the rule, so that it runs again exactly when its code has changed.
    """
    return "+".join(
        code_digest(ROOT / path, ROOT) for path in (f"scripts/{rule}.py", *modules)
    )


def figure(wildcards):
    """The entry of a figure in the catalogue."""
    return registry.entry(wildcards.figure)


def observed(optimizer):
    """What the theorems apply to: jobs with linear blocks, squared loss and the time condition."""
    names = {
        entry["name"]
        for entry in config["experiments"]
        if optimizer in entry["optimizer"]
        and "squared" in entry["loss_fn"]
        and "time_condition" in entry.get("observe", [])
    }
    jobs = [
        job
        for job, blocks in JOBS.items()
        if any(b.experiment in names and b.activation == "linear" for b in blocks)
    ]
    measured = ("training", "time_condition")
    return {table: parts(table, jobs) for table in measured} | tables("optimum")


def parts(table, jobs=JOBS):
    """Paths of one table's parts: of each dataset, or of some training jobs."""
    names = SPECTRAL_TABLES.get(table) or jobs
    return [f"<results>/parts/{table}/{name}.parquet" for name in names]


def tables(*names):
    """Paths of some tables, by name."""
    return {name: f"<results>/tables/{name}.parquet" for name in names}


# All tables of a run.
TABLES = tables(
    *("graphs", *SPECTRAL_TABLES, *TRAINING_TABLES),
    *("bounds", "guarantees", "descent_limits", "negative_results", "negative_curves"),
    *("comparisons", "evidence", "predictions", "claims"),
)

# A failed job's outputs are deleted. Snakemake makes them again only if a target names them or what
# follows from them is absent or outdated by itself: else a second run would find old tables there
# and nothing to be done. So targets name the parts, and what reads a graph has its source as a param.
PARTS = [parts(table) for table in (*SPECTRAL_TABLES, *TRAINING_TABLES)]


def blocks_of(wildcards):
    """The blocks that a job trains, by their ids."""
    job = JOB.format(**dict(wildcards))
    if job not in JOBS:
        raise WorkflowError(f"no experiment has the training job {job}")
    return [block.id for block in JOBS[job]]


def block_functions(wildcards):
    """Digests of the own functions that a job's blocks use."""
    entry = grid.entry(config, wildcards.experiment)
    blocks = JOBS[JOB.format(**dict(wildcards))]
    return own_functions.block_digests(entry, blocks)


def cell_functions(wildcards):
    """Digests of the own functions that a dataset's cells with squared loss use."""
    return own_functions.cell_digests(grid.squared_cells(config, wildcards.dataset))


def block_settings(wildcards):
    """What a block depends on: its experiment without lists and names that tell it from others."""
    entry = grid.entry(config, wildcards.experiment)
    left_out = ("name", "job_per", *grid.BLOCK_LISTS)
    return {key: value for key, value in entry.items() if key not in left_out}


def content(dataset):
    """What a prepared graph depends on: its catalogue entry without remarks."""
    entry = CATALOGUE[dataset]
    remarks = ("title", "licence", "reference", "note")
    return {key: value for key, value in entry.items() if key not in remarks}


def source(dataset):
    """What a graph is made of, without the paths of a user's own files, and the code for it."""
    entry = content(dataset)
    roles = {"files": sorted(entry["files"])} if entry["reader"] == "own" else {}
    return [entry | roles, code("prepare_graph")]


def files_of_graph(wildcards):
    """What a graph is read from: a user's own files, or the list of those that were fetched.

    Packaged data have neither. Own files are inputs, so that a changed one reruns what follows.
    """
    entry = CATALOGUE[wildcards.dataset]
    match entry["reader"]:
        case "own":
            return {"own": list(entry["files"].values())}
        case "embedded":
            return {}
    return {"manifest": f"data/raw/{wildcards.dataset}/manifest.json"}
