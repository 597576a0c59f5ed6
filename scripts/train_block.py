"""Train one block: all seeds, labels, widths and learning rates of one model on one graph.

The optimum of the block's cells is solved for here too, so that a block depends on nothing but its
graph and its own settings: more seeds elsewhere do not train it again.
"""

import pandas as pd
from _job import start

from gnn_dynamics.artifacts import write_table
from gnn_dynamics.block import train_block
from gnn_dynamics.data.graph import load_graph
from gnn_dynamics.engine.memory import keep_freed_memory
from gnn_dynamics.experiments import Block, squared_cells
from gnn_dynamics.optimum import optimum_table

provenance = start(snakemake)
keep_freed_memory()
graph = load_graph(snakemake.input.graph)
block = Block(**snakemake.params.block)
lists = {key: [value] for key, value in snakemake.params.block.items()}
own = {**snakemake.params.settings, **lists, "datasets": [block.dataset]}
optimum = pd.DataFrame(optimum_table(graph, squared_cells({"experiments": [own]}, block.dataset)))
tables = train_block(
    graph, snakemake.params.settings, block, optimum, device=snakemake.params.device
)
for table, rows in tables.items():
    write_table(rows, snakemake.output[table], provenance)
