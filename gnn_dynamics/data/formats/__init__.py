"""One reader for each format of the catalogue; each returns the `Content` of checked files.

A reader may import `data` and what is below it, and never runs code from a file. readers.py checks
the checksums before. Read embedded.py first: it is the shortest.
"""
