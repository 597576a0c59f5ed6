"""Figures: tables in, matplotlib Figures out.

It may import `summaries` and what is below it. Read registry.py first, with catalogue.yaml. Every
module of a figure has

    draw(*tables, **options)     -> Figure     the picture, which states what is missing
    measured(*tables, **options) -> list[str]  sentences with the numbers behind it
"""
