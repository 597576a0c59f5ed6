"""Figures: tables in, matplotlib Figures out. Nothing here reads a file of a run or keeps state.

Every figure module offers

    draw(tables...)     -> Figure      the picture; what is missing is said inside the picture
    measured(tables...) -> list[str]   sentences with the numbers behind it, for its caption
"""
