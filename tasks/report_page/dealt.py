"""How the images were dealt out: classes by part, what looks alike across the parts, and what is in none."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.dataset.dataset import Dataset
from tasks.partition.summary import how_alike

_SHOWN = 10


def split_rows(parts: Mapping[str, Dataset], colours: Mapping[str, str]) -> list[dict[str, Any]]:
    """A row for each class: in every part, how many images show it and how many boxes it has; the first is for all."""
    rows = [
        {
            "name": "all",
            "colour": "",
            "parts": [(len(part.images), part.box_counts().total()) for part in parts.values()],
        }
    ]
    for name in dict.fromkeys(name for part in parts.values() for name in part.classes):
        shown = [
            (sum(name in image.classes for image in part.images), part.box_counts()[name]) for part in parts.values()
        ]
        rows.append({"name": name, "colour": colours.get(name, ""), "parts": shown})
    return rows


def leaks(rows: Any, parts: Sequence[str]) -> dict[str, Any] | None:
    """How many pairs of images look alike across the parts, and the closest ten; None where nobody looked.

    `rows` is what the split stage writes to leaks.json.
    """
    if not isinstance(rows, list):
        return None
    shown = [
        {
            "files": [(part, row[part]) for part in parts if part in row],
            "how": how_alike(row),
        }
        for row in rows[:_SHOWN]
        if isinstance(row, dict)
    ]
    return {"count": len(rows), "rows": shown}


def dropped(rows: Any) -> dict[str, Any]:
    """How many images are in no part, and the first ten: each with its part before and what it looks like.

    `rows` is what the split stage writes to dropped.json; older ones wrote none, and dropped none.
    """
    known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    shown = [
        {
            "files": [(row.get("given_split"), row.get("image")), (row.get("like_in"), row.get("like"))],
            "how": how_alike(row),
        }
        for row in known[:_SHOWN]
    ]
    return {"count": len(known), "rows": shown}
