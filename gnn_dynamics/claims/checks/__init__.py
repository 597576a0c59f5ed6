"""Claims that compare no runs: each function turns tables into cells, which `decide` decides.

Imports frames, cells and lambda_T of the folder above. Read bounds.py first.
"""
