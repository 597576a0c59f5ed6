"""A user's own graph: edges, features, labels and split, in one or several files.

It may import `data` and what is below it. Read read.py first: it checks the parts that the other
modules read and builds a `Graph`.
"""
