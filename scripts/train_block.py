"""Train the blocks of a job: all seeds, labels, widths and learning rates of models on one graph.

The optimum of a block's cells is solved for here too, so that a block depends on nothing but its
graph and its own settings: more seeds elsewhere do not train it again.
"""

from _job import start

from gnn_dynamics.data.graph import load_graph
from gnn_dynamics.linalg.memory import keep_freed_memory
from gnn_dynamics.runs.block import train_block
from gnn_dynamics.runs.tables import BLOCK_TABLES
from gnn_dynamics.spectra.optimum import block_optimum
from gnn_dynamics.workflow.kept_blocks import train_blocks

precision = snakemake.params.settings.get("precision", "float64")
provenance = start(snakemake, precision)
keep_freed_memory()
graph = load_graph(snakemake.input.graph)


def train(block, settings):
    """Tables of a block with these settings."""
    optimum = block_optimum(graph, settings, block)
    return train_block(graph, settings, block, optimum, device=snakemake.params.device)


train_blocks(dict(snakemake.output.items()), BLOCK_TABLES, provenance, train)
