"""Judge every claim by the rule of config/claims.yaml: claims.parquet."""

from _job import start

from gnn_dynamics.artifacts.parquet import read_table, write_table
from gnn_dynamics.claims.verdicts import CLAIMS, judge

provenance = start(snakemake)
cells, evidence = (read_table(snakemake.input[name]) for name in ("comparisons", "evidence"))
claims = judge(cells, evidence, snakemake.params.claims)
write_table(claims, snakemake.output.table, CLAIMS, provenance)
