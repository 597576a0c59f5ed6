"""The command `gnn-dynamics`: check a graph, compare two runs, describe a result file."""
