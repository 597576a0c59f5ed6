"""The report of a run: one HTML file that loads nothing and opens with the answers.

It may import `figures` and what is below it. Read build.py first, with template.html; glossary.yaml
contains the words that the report explains, and grid.js draws its tables.
"""
