"""Files that results are written to and read from, complete or absent, with their provenance.

It may import `errors` only. Read table.py first: it defines what a table declares of itself.
"""
