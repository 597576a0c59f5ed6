"""Read a data set's files, check the graph, and write it in the prepared form."""

from pathlib import Path

from _job import start

from gnn_dynamics.data.graph import save_graph
from gnn_dynamics.data.readers import read_dataset

start(snakemake)
# Packaged data and a user's own files are not fetched and have no manifest.
folder = Path(snakemake.input.manifest).parent if snakemake.input.get("manifest") else None
graph = read_dataset(snakemake.wildcards.dataset, snakemake.params.entry, folder)
save_graph(graph, snakemake.output.graph)
