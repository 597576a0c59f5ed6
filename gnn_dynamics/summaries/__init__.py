"""Numbers that figures and the report show: tables in, small tables out, no matplotlib.

It may import `claims` and what is below it. Read select.py first: it selects the rows of a panel.
"""
