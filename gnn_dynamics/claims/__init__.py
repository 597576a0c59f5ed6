"""From result tables to bounds, evidence and verdicts on the claims, with pandas and statsmodels.

It may import `runs` and what is below it, but uses nothing that trains. Read evidence.py first: how
the claims about speed are judged. claim_cells.py collects the cells of all claims; verdicts.py
gives the verdicts in words (docs/claims.md).
"""
