"""The configuration: its schema, the grid of runs, and the columns that identify a run.

It may import `artifacts` and what is below it. Read grid.py first: it defines blocks and runs.
"""
