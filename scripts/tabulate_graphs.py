"""Write one row per prepared graph: sizes, dropped edges, homophily, source."""

from _job import start

from gnn_dynamics.artifacts.parquet import write_table
from gnn_dynamics.data.graph import load_graph
from gnn_dynamics.data.graph_facts import GRAPHS, graph_facts

provenance = start(snakemake)
rows = [graph_facts(load_graph(path)) for path in snakemake.input.graphs]
write_table(rows, snakemake.output.table, GRAPHS, provenance)
