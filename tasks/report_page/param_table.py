"""The page's table of params."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.params.value_types import Section


# What changes no byte of a result, so that DVC watches it for no stage: the page could show an old value.
UNWATCHED = ("records.workers", "records.scheduler")


def param_rows(sections: Sequence["Section"]) -> list[tuple[str, str]]:
    """`(section.key, value)` of every param that a result depends on, as JSON."""
    values = {
        f"{type(section).__name__.removesuffix('Params').lower()}.{key}": value
        for section in sections
        for key, value in section.model_dump(mode="json").items()
    }
    return [(name, json.dumps(value, ensure_ascii=False)) for name, value in values.items() if name not in UNWATCHED]
