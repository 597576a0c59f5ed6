"""Train one block: all seeds, labels, widths and learning rates of one model on one graph.

The optimum of the block's cells is solved for here too, so that a block depends on nothing but its
graph and its own settings: more seeds elsewhere do not train it again.
"""

from _job import start

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.config.grid import Block
from gnn_dynamics.data.graph import load_graph
from gnn_dynamics.linalg.memory import keep_freed_memory
from gnn_dynamics.runs.block import train_block
from gnn_dynamics.runs.tables import BLOCK_TABLES
from gnn_dynamics.spectra.optimum import block_optimum
from gnn_dynamics.workflow.kept_seeds import keep, train_missing

precision = snakemake.params.settings.get("precision", "float64")
provenance = start(snakemake, precision)
keep_freed_memory()
graph = load_graph(snakemake.input.graph)
block = Block(**snakemake.params.block)


def train(settings):
    """Tables of the block with these settings."""
    optimum = block_optimum(graph, settings, block)
    return train_block(graph, settings, block, optimum, device=snakemake.params.device)


for table, rows in train_missing(dict(snakemake.output.items()), provenance, train).items():
    write_table(rows, snakemake.output[table], BLOCK_TABLES[table], provenance)
keep(snakemake.output)
