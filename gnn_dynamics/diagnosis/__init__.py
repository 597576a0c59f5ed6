"""Why the graph condition fails on a graph, what repairs it, and how fast training can be.

This room may import figures and all rooms below it, but not cli, which prints its results. Read
`analysis.py` first: it calls the other modules.
"""
