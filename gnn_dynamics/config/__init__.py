"""The configuration: its schema, the grid of runs that it expands to, and the columns of a run.

It may import `artifacts` and what is below. Read grid.py first: it defines blocks and runs.
"""
