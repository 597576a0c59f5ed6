"""How well the labels of one graph agree with its leading propagated features, for every cell."""

from _job import start

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.data.graph import load_graph
from gnn_dynamics.spectra.label_alignment import alignment_table

provenance = start(snakemake)
graph = load_graph(snakemake.input.graph)
write_table(alignment_table(graph, snakemake.params.cells), snakemake.output.table, provenance)
