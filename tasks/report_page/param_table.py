"""The page's table of params."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.params import Section


def param_rows(sections: Sequence["Section"]) -> list[tuple[str, str]]:
    """`(section.key, value)` of every param, as JSON."""
    return [
        (f"{type(section).__name__.removesuffix('Params').lower()}.{key}", json.dumps(value, ensure_ascii=False))
        for section in sections
        for key, value in section.model_dump(mode="json").items()
    ]
