"""Properties of a graph before any training: graph condition, optimum, label alignment.

It may import `problem` and what is below it. Read graph_condition.py first.
"""
