"""How well the labels of one graph agree with its leading propagated features, for every cell."""

from _job import start

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.data.graph import load_graph
from gnn_dynamics.spectra.label_alignment import ALIGNMENT, alignment_table

provenance = start(snakemake)
graph = load_graph(snakemake.input.graph)
rows = alignment_table(graph, snakemake.params.cells)
write_table(rows, snakemake.output.table, ALIGNMENT, provenance)
