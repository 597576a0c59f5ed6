"""Compare runs in pairs: the cells of every claim, evidence, and what predicts speed."""

from _job import start

from gnn_dynamics.artifacts.parquet import read_table, write_table
from gnn_dynamics.claims.claim_cells import claim_cells_by_half, seed_halves
from gnn_dynamics.claims.comparisons import COMPARISONS, paired_runs
from gnn_dynamics.claims.evidence import EVIDENCE, gather_evidence
from gnn_dynamics.claims.rankings import PREDICTIONS, predictions, rankings

provenance, settings = start(snakemake), snakemake.params.claims
tables = {name: read_table(path) for name, path in snakemake.input.items()}
tables["rankings"] = rankings(tables, settings["rule"])
paired = paired_runs(tables, settings)
cells = claim_cells_by_half(tables, paired, settings)
write_table(cells, snakemake.output.comparisons, COMPARISONS, provenance)
evidence = gather_evidence(paired, settings, seed_halves({**tables, **paired}))
write_table(evidence, snakemake.output.evidence, EVIDENCE, provenance)
predicted = predictions(tables["rankings"], settings["rule"])
write_table(predicted, snakemake.output.predictions, PREDICTIONS, provenance)
