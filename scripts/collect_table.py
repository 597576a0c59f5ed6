"""Concatenate the parts of one table, sorted by block, then by key."""

from _job import start

from gnn_dynamics.artifacts.parquet import collect_parts

provenance = start(snakemake)
collect_parts(list(snakemake.input.parts), snakemake.output.table, provenance)
