"""From data files to a `Graph`: official data sets or a user's own files.

It may import `config` and what is below it. Read graph.py first: it defines the `Graph` and its
file; readers.py lists the readers.
"""
