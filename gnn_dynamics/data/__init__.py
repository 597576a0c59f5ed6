"""From data files to a `Graph`: official data sets are fetched and read, or a user's own files.

This room may import linalg, config, artifacts and errors. Read `graph.py` first: it defines the
`Graph` and its file. `readers.py` then lists the readers.
"""
