"""Hold every claim against its tables, cell by cell: comparisons.parquet.

Runs are compared in pairs that share the seed; other claims look at bounds, conditions and curves.
"""

import pandas as pd
from _job import start

from gnn_dynamics.artifacts import read_table, write_table
from gnn_dynamics.claims.evidence import claim_cells_by_half
from gnn_dynamics.theory.counterexamples import layer_subset

EPS = (0.1, 0.01, 0.001)

provenance = start(snakemake)
tables = {name: read_table(path) for name, path in snakemake.input.items()}
cases = [
    {"case": f"two nodes, eps={eps:g}", "ratio": layer_subset(eps)[0].worst_ratio} for eps in EPS
]
tables["counterexamples"] = pd.DataFrame(cases)
cells = claim_cells_by_half(tables, snakemake.params.claims)
write_table(cells, snakemake.output.table, provenance)
