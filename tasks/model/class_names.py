"""Classes of one label map found in another by their names."""

import re
from collections.abc import Mapping, Sequence

from tasks.ground.text import folded

_SEPARATORS = re.compile(r"[\s_-]+")


def class_key(name: str) -> str:
    """`name` for comparing classes, whatever its capitals, spaces, `_` and `-`: `Coffee cup` is `coffee_cup`."""
    key = _SEPARATORS.sub("", folded(name))
    return key or name  # a class called - is not the one called _


def known_classes(classes: Sequence[str], known: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """Those of `classes` that are among `known`: each with its name there, in the order of `classes`.

    Args:
        classes: labels of the data.
        known: class names of a base.
        names: label -> its name in the base, where that is another (`checkpoint.class_names`).
    """
    # A name that is spelled exactly so counts before one that differs in capitals.
    by_key = {class_key(name): name for name in reversed(known)}
    found = {}
    for label in classes:
        wanted = names.get(label, label)
        name = wanted if wanted in known else by_key.get(class_key(wanted))
        if name is not None:
            found[label] = name
    return found
