"""The report: one HTML file that holds everything, loads nothing, and says what was found first.

glossary.py     terms, explained where they first stand
differences.py  where the results differ from the paper, in sentences made from the tables
sections.py     tables -> what the template shows
build.py        everything -> HTML
"""
