"""Draw guaranteed rates against the measured one (Theorems 1 and 2)."""

from _job import start

from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.bound_tightness import draw
from gnn_dynamics.summaries.select import read

provenance = start(snakemake)
figure = draw(read(snakemake.input.bounds))
save_figure(figure, snakemake.output.png, snakemake.output.pdf, provenance)
