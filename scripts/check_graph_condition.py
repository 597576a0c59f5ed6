"""Singular values and ranks of the propagated features of one graph, by depth."""

from _job import start

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.data.graph import load_graph
from gnn_dynamics.spectra.graph_condition import GRAPH_CONDITION, condition_table

provenance = start(snakemake)
graph = load_graph(snakemake.input.graph)
rows = condition_table(graph, snakemake.params.grid)
write_table(rows, snakemake.output.table, GRAPH_CONDITION, provenance)
