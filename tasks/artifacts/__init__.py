"""The files that one stage writes and another reads: one module a subject, each file with its type, `read` and `write`.

No other module spells these files' names or keys.
"""
