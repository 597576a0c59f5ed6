"""Draw the two terms of the loss decrease along training (Xu et al. 2021, Figure 5)."""

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.gradient_terms import draw
from gnn_dynamics.summaries.select import read

provenance = start(snakemake)
figure = draw(read(snakemake.input.gradient_terms))
save_figure(figure, snakemake.output.png, snakemake.output.pdf, provenance)
