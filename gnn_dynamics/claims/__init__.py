"""From result tables to verdicts on the paper's claims (docs/claims.md), with pandas alone.

Imports config, errors and NumPy, SciPy and pandas, but no torch and nothing that trains or draws.
Read evidence.py first: it lists the kinds of checks and collects their cells; verdicts.py judges.
"""
