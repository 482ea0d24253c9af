"""The stages: one module each with one plain function, and `table.py`, which lists what each is given.

A stage reads its own params section and its paths, writes files and returns figures. It calls into the room of its
subject; nothing else belongs here.
"""
