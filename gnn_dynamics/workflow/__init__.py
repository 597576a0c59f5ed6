"""What only the Snakemake workflow needs: checks of its configuration, kept seeds, the rule graph.

The rules and scripts import it, and no other folder does. Read check_config.py first.
"""
