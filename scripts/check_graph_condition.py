"""Singular values of the propagated features of one graph: does the graph condition hold?

sigma_min^2(X (S^H)_{*I}) of Theorem 1 and sigma_min^2((G_H)_{*I}) of Theorem 2 by depth (Xu et al.
2021, arXiv 2105.04550, figures 2a and 3a), with the rank and the nodes that break it.
"""

from _job import start

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.data.graph import load_graph
from gnn_dynamics.spectra.graph_condition import GRAPH_CONDITION, condition_table

provenance = start(snakemake)
graph = load_graph(snakemake.input.graph)
rows = condition_table(graph, snakemake.params.grid)
write_table(rows, snakemake.output.table, GRAPH_CONDITION, provenance)
