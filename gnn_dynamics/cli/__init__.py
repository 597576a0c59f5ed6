"""The command `gnn-dynamics`: check a graph, compare two runs, describe a result file.

It may import every folder but `workflow`. Read main.py first; each subcommand is a module with
`run`.
"""
