"""One reader for each format of the catalogue; each returns the `Content` of checked files.

A reader never runs code from a file. `readers.py` has compared the checksums before. Read
`geomgcn.py` first: it is the shortest.
"""
