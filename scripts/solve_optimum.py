"""The smallest loss that a linear GNN reaches on one graph, for every cell with squared loss.

L*_H and L*_{1:H} by projection on the row space (Xu et al. 2021, arXiv 2105.04550, equation 6), by
two methods.
"""

from _job import start

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.data.graph import load_graph
from gnn_dynamics.spectra.optimum import OPTIMUM, optimum_table

provenance = start(snakemake)
graph = load_graph(snakemake.input.graph)
rows = optimum_table(graph, snakemake.params.cells)
write_table(rows, snakemake.output.table, OPTIMUM, provenance)
