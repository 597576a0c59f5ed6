"""Numbers and curves of statements that fail: constructed problems, and the runs with L* > 0."""

from _job import start

from gnn_dynamics.artifacts.parquet import read_table, write_table
from gnn_dynamics.theory.negative_results import (
    NEGATIVE_CURVES,
    NEGATIVE_RESULTS,
    negative_curves,
    negative_results,
)

provenance = start(snakemake)
table = negative_results(read_table(snakemake.input.bounds))
write_table(table, snakemake.output.table, NEGATIVE_RESULTS, provenance)
write_table(negative_curves(), snakemake.output.curves, NEGATIVE_CURVES, provenance)
