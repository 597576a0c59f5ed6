"""The catalogue of data sets, and the download of their files from official addresses or a mirror.

This room may import config and errors. Read `catalogue.py` first, then `download.py`.
"""
