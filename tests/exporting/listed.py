"""Inputs of a model that lie in memory."""


class Listed(list):
    """See `tasks.exporting.interpreter.Images`."""

    def first(self, count):
        return Listed(self[:count])
