"""Training of one block: problem, model, dynamics and theory together fill four tables.

It may import `theory` and what is below it. Read block.py first.
"""
