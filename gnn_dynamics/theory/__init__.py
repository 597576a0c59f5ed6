"""The formulas of the theorems, evaluated on weights; metrics.py evaluates them along a run.

This room imports `dynamics`, `models`, `problem`, `linalg` and `config`. The formulas take weights
and not the trained gradients, which they check; metrics.py and integrator.py also take an
`Objective`. Read products.py and terms.py first.
"""
