"""The Python interface: from a graph to its condition, L*, training runs, bounds and comparisons.

It may import every folder but `cli` and `workflow`; `gnn_dynamics` exports its functions. Read
graphs.py first: everything starts with a graph.
"""
