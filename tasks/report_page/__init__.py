"""The report page: a template and what it shows, each part made from plain values and arrays.

Nothing here reads another stage's files but the curves' tables; `tasks.stages.report` reads, and passes on.
"""
