"""Figures: tables in, matplotlib Figures out. May import summaries and everything below it.

Read `registry` first (all figures, from catalogue.yaml), then `style`. Every figure module offers

    draw(*tables, **options)     -> Figure     the picture; it states what is missing
    measured(*tables, **options) -> list[str]  sentences with the numbers behind it

Only `registry` (the catalogue) and `shown_rows` (tables of a run) read files.
"""
