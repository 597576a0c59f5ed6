"""The catalogue of data sets, and the verified download of their files.

It may import `config` and what is below it. Read catalogue.py first, then download.py.
"""
