"""Draw the effect of depth by measure of speed and by learning rate, with the sharpness."""

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.step_size import draw
from gnn_dynamics.summaries.select import DESCENT, read

provenance = start(snakemake)
figure = draw(read(snakemake.input.comparisons), read(snakemake.input.training, DESCENT))
save_figure(figure, snakemake.output.png, snakemake.output.pdf, provenance)
