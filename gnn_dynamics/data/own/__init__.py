"""A user's own graph: edges, features, labels and split, in one or several files.

The modules read one format each into parts of a `RawGraph`; `read.py` checks it and makes a
`Graph`. This room may import the modules of `data`, artifacts and errors. Read `read.py` first.
"""
