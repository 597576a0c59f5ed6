"""Linear algebra that knows nothing of graphs: products, singular values, device and memory.

This room imports `errors` only. Read singular_values.py first.
"""
