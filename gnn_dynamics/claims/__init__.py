"""From result tables to bounds, comparisons and verdicts on the claims, with pandas alone.

It may import `runs` and what is below it, but uses nothing that trains. Read evidence.py first: it
collects the cells of all claims; verdicts.py judges them (docs/claims.md).
"""
