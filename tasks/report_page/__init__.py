"""The report page: templates, and the tables, drawings and pictures that they show.

`content` puts the page together from the files of a run, which `run_files` reads.
"""
