"""A graph becomes a learning problem: S, X, R, the targets Y and the features G_l = X S^l R.

It may import `data`, `linalg` and what is below them. Read problem.py first, then aggregations.py,
features.py and propagation.py; by_columns.py, matrix_file.py and labelled_columns.py serve graphs
that are larger than memory.
"""
