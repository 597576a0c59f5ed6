"""Draw every claim with its verdict and its effect on every graph."""

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.claims import draw
from gnn_dynamics.summaries.select import read

provenance = start(snakemake)
figure = draw(read(snakemake.input.claims), read(snakemake.input.comparisons))
save_figure(figure, snakemake.output.png, snakemake.output.pdf, provenance)
