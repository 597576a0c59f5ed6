"""Numbers that figures and the report show: tables in, small tables out, no matplotlib.

May import claims and everything below it, never figures or report. Read `select` first: it chooses
the rows that a panel shows. `paper_curves` reads one packaged file; nothing else reads files.
"""
