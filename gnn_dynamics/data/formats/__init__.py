"""One reader for each format of the catalogue; each returns a `Graph`.

A reader may import `data` and what is below it, checks the checksums first and never runs code from
a file. Read geomgcn.py first: it is the shortest.
"""
