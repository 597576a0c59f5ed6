"""Draw the training curves of linear and ReLU networks (Xu et al. 2021, Figure 1)."""

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.linear_vs_relu import draw
from gnn_dynamics.summaries.select import read

provenance = start(snakemake)
figure = draw(read(snakemake.input.training))
save_figure(figure, snakemake.output.png, snakemake.output.pdf, provenance)
