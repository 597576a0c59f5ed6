"""Files that results are written to and read from, with their provenance.

It may import `errors` only. Read table.py first: it defines how a table is declared.
"""
