"""One reader for each format of the catalogue; each returns a `Graph`.

A reader checks the checksums first (`data.fetch.checksums`) and never runs code from a file. Read
`geomgcn.py` first: it is the shortest.
"""
