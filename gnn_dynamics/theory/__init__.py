"""The formulas of the theorems, evaluated on weights; metrics.py evaluates them along a run.

It may import `dynamics` and what is below it. The formulas use none of the trained gradients,
which they check. Read products.py first, then terms.py.
"""
