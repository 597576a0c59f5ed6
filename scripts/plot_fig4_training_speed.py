"""Draw what skips, depth and labels do to training (Xu et al. 2021, Figure 4)."""

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.training_speed import draw
from gnn_dynamics.summaries.select import read

provenance = start(snakemake)
figure = draw(read(snakemake.input.training))
save_figure(figure, snakemake.output.png, snakemake.output.pdf, provenance)
