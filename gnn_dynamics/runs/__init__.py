"""Training of one block: problem, model, dynamics and theory together give rows of four tables.

This room imports every room below it, from `theory` to `config`. Read block.py first.
"""
