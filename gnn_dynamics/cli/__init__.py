"""The command `gnn-dynamics`: check, race or study a graph, compare two runs, describe a file.

It may import every folder but `workflow`. Read main.py first; each subcommand is a module with
`run`.
"""
