"""Draw the accelerations of every graph against homophily, singular values and label alignment."""

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.what_predicts import draw
from gnn_dynamics.summaries.select import read

provenance = start(snakemake)
names = ("comparisons", "graphs", "graph_condition", "alignment")
figure = draw(*(read(snakemake.input[name]) for name in names))
save_figure(figure, snakemake.output.png, snakemake.output.pdf, provenance)
