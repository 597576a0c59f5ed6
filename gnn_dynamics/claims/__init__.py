"""From measured runs to verdicts on the paper's claims (docs/claims.md).

speed.py        loss traces -> when a run reaches a threshold (speed.parquet)
pairs.py        two runs that differ in one thing -> which was faster, and by how much
statistics.py   median, interval, sign test and Holm's adjustment over pairs
comparisons.py  one row for each cell of the grid (comparisons.parquet)
bound_checks.py, condition_checks.py, curve_checks.py   cells of the claims that compare no runs
verdicts.py     cells -> holds, fails, mixed, vacuous, not tested (claims.parquet)
settings.py     config/claims.yaml: the claims, and the rule with its thresholds
"""
