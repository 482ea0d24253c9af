"""Functions and classes that tables name as text, `module:name`, and that are imported when they are used."""

import importlib
from typing import Any


def import_object(reference: str) -> Any:
    """The function or class that `reference` (`module:name`) names; its module is imported now."""
    module, name = reference.split(":")
    return getattr(importlib.import_module(module), name)
