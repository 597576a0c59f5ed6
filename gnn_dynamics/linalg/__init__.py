"""Linear algebra without graphs: products, singular values, device, memory.

It may import `errors` only. Read singular_values.py first.
"""
