"""Statements that fail, with the numbers that decide them, and a figure of the four problems.

Constructed problems, and the printed inequality on the recorded runs with L* > 0.
"""

from _job import start

from gnn_dynamics.artifacts.parquet import read_table, write_table
from gnn_dynamics.artifacts.pictures import save_figure
from gnn_dynamics.figures.negative_results import draw
from gnn_dynamics.theory.negative_results import NEGATIVE_RESULTS, negative_results

provenance = start(snakemake)
table = negative_results(read_table(snakemake.input.bounds))
write_table(table, snakemake.output.table, NEGATIVE_RESULTS, provenance)
save_figure(draw(table), snakemake.output.png, snakemake.output.pdf, provenance)
