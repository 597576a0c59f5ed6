"""Why the graph condition fails on a graph, what repairs it, which network trains fastest.

It may import `figures` and what is below it, but not `cli`, which prints its results. Read
analysis.py first: it calls the other modules.
"""
