"""The smallest loss L* that a linear GNN reaches on one graph, for every cell with squared loss."""

from _job import start

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.data.graph import load_graph
from gnn_dynamics.spectra.optimum import OPTIMUM, optimum_table

provenance = start(snakemake)
graph = load_graph(snakemake.input.graph)
rows = optimum_table(graph, snakemake.params.cells)
write_table(rows, snakemake.output.table, OPTIMUM, provenance)
