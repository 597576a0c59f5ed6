"""The formulas of the theorems, evaluated on weights; metrics.py evaluates them along a run.

This room imports `dynamics`, `models`, `problem` and `linalg`. The formulas use `Weights` but none
of the trained gradients, which they check. Read products.py and terms.py first.
"""
