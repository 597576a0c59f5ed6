"""Compare the recorded gradient flows with the bounds of Theorems 1 and 2 (claims/bounds.py)."""

from _job import start

from gnn_dynamics.artifacts.parquet import read_parts, read_table, write_table
from gnn_dynamics.claims.bounds import BOUNDS_TABLE, bounds_table
from gnn_dynamics.runs.tables import TIME_CONDITION, TRAINING

provenance = start(snakemake)
training = read_parts(snakemake.input.training, TRAINING)
condition = read_parts(snakemake.input.time_condition, TIME_CONDITION)
table = bounds_table(training, condition, read_table(snakemake.input.optimum))
write_table(table, snakemake.output.table, BOUNDS_TABLE, provenance)
