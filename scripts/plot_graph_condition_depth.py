"""Draw singular values against depth: how skip connections repair the graph condition."""

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.graph_condition_depth import draw
from gnn_dynamics.summaries.select import read

provenance = start(snakemake)
figure = draw(read(snakemake.input.graph_condition))
save_figure(figure, snakemake.output.png, snakemake.output.pdf, provenance)
