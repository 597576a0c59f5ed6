"""A user's own graph: edges, features, labels and split, in one or several files.

It may import `data` and what is below it. Read read.py first: it finds the parts of the graph in
the tables that files.py reads by formats.py, text.py and torch_file.py. Every function raises a
UserError, with the file, the line or node, and what to do, for input that it cannot use.
"""
