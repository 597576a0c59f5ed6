"""Draw the conditions of Theorem 2 on real graphs and along training (Xu et al. 2021, Figure 3)."""

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.assumptions import draw
from gnn_dynamics.summaries.select import read

provenance = start(snakemake)
figure = draw(
    read(snakemake.input.graph_condition), read(snakemake.input.time_condition), multiscale=True
)
save_figure(figure, snakemake.output.png, snakemake.output.pdf, provenance)
