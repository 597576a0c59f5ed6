"""Properties of a graph before any training: graph condition, optimum and label alignment.

This room imports `problem`, `data`, `linalg` and `config`. Read graph_condition.py first.
"""
