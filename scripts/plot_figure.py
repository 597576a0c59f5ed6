"""Draw one figure of gnn_dynamics/figures/catalogue.yaml from the tables that it names."""

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.entry import Entry
from gnn_dynamics.figures.shown_rows import read

provenance = start(snakemake)
entry = Entry(**snakemake.params.figure)
figure = entry.draw({name: read(path) for name, path in snakemake.input.items()})
save_figure(figure, snakemake.output.png, snakemake.output.pdf, provenance)
