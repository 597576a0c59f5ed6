"""The command `gnn-dynamics`: check a graph, compare two runs, describe a result file.

The modules parse arguments, call the package and print. They may import every room of the package
but workflow. Read `main.py` first; each subcommand is a module with `run`.
"""
