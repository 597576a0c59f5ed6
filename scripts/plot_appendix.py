"""Draw all training curves of one dataset (Xu et al. 2021, appendix B)."""

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.appendix import draw
from gnn_dynamics.summaries.select import read

provenance = start(snakemake)
figure = draw(read(snakemake.input.training), snakemake.wildcards.dataset)
save_figure(figure, snakemake.output.png, snakemake.output.pdf, provenance)
