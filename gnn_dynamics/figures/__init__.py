"""Figures: tables in, matplotlib Figures out.

It may import `summaries` and what is below it. Read registry.py first, with catalogue.yaml. Every
module of a figure has

    shown(*tables, **options) -> tuple      the rows to show; without it, the tables themselves
    draw(*shown)              -> Figure     the picture
    measured(*shown)          -> list[str]  sentences with the numbers behind it
"""
