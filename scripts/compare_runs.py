"""Decide every claim cell by cell (claims/evidence.py)."""

from _job import start

from gnn_dynamics.artifacts.parquet import read_table, write_table
from gnn_dynamics.claims.comparisons import COMPARISONS
from gnn_dynamics.claims.evidence import claim_cells_by_half
from gnn_dynamics.theory.negative_results import layer_subset_cases

provenance = start(snakemake)
tables = {name: read_table(path) for name, path in snakemake.input.items()}
tables["counterexamples"] = layer_subset_cases()
cells = claim_cells_by_half(tables, snakemake.params.claims)
write_table(cells, snakemake.output.table, COMPARISONS, provenance)
