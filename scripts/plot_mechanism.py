"""Draw what should accelerate training above what did: graph condition, head terms, alignment."""

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.mechanism import draw
from gnn_dynamics.summaries.select import read

provenance = start(snakemake)
names = ("graph_condition", "gradient_terms", "alignment", "comparisons")
figure = draw(*(read(snakemake.input[name]) for name in names))
save_figure(figure, snakemake.output.png, snakemake.output.pdf, provenance)
