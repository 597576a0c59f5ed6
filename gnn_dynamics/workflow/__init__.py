"""What only the workflow needs: checks of its configuration, kept blocks.

It may import every folder, and only rules and scripts import it. Read check_config.py first.
"""
