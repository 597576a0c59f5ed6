"""Times and step sizes that the bounds guarantee, compared with the runs (claims/guarantees.py)."""

from _job import start

from gnn_dynamics.artifacts.parquet import read_parts, read_table, write_table
from gnn_dynamics.claims.bounds import bounds_table
from gnn_dynamics.claims.guarantees import (
    DESCENT_LIMITS,
    GUARANTEES,
    descent_limits,
    guarantee_times,
)
from gnn_dynamics.runs.tables import TIME_CONDITION, TRAINING

provenance = start(snakemake)
flows = read_table(snakemake.input.bounds)
training = read_parts(snakemake.input.training, TRAINING)
condition = read_parts(snakemake.input.time_condition, TIME_CONDITION)
optimum = read_table(snakemake.input.optimum)
descents = bounds_table(training, condition, optimum, optimizer="gd")
write_table(guarantee_times(flows), snakemake.output.guarantees, GUARANTEES, provenance)
write_table(descent_limits(descents), snakemake.output.descent_limits, DESCENT_LIMITS, provenance)
