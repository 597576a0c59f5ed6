"""Claims that compare no runs: each function turns tables into cells with a state.

It may import frames.py, cells.py and lambda_T.py of the folder above. Read bounds.py first.
"""
