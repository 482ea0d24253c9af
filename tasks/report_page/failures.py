"""Where a detector fails: tables from analysis.json, of which anything may be missing."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.report_page.page import number
from tasks.report_page.sections import part

_KINDS = {
    "classification": "on an object, but of another class",
    "localisation": "of the right class, but the box is off (IoU 0.1 to 0.5)",
    "both": "the class is wrong and the box is off",
    "duplicate": "of an object that a surer detection has found already",
    "background": "on nothing",
    "missed": "objects that no detection comes near",
}


def operating(analysis: Mapping[str, Any], classes: Sequence[str], colours: Mapping[str, str]) -> list[dict[str, Any]]:
    """Precision, recall and F1 at the shipped score and the best F1 there could be; the first row is of all classes."""
    shipped, best = part(analysis, "at_threshold"), part(analysis, "at_best_F1")
    if not part(shipped, "all"):
        return []
    rows = [("all classes", "", part(shipped, "all"), part(best, "all"))]
    for name in classes:
        own, most = (part(part(which, "per_class"), name) for which in (shipped, best))
        rows.append((name, colours.get(name, ""), own, most))
    keys = ("score", "precision", "recall", "F1", "true", "false", "missed")
    return [
        {
            "name": name,
            "colour": colour,
            **{key: number(own.get(key)) for key in keys},
            "best_F1": number(most.get("F1")),
            "best_score": number(most.get("score")),
        }
        for name, colour, own, most in rows
    ]


def mistakes(analysis: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each kind: how many, what mending them would gain, and what it is; none where nobody looked."""
    kinds = part(analysis, "mistakes")
    rows = [
        {
            "kind": kind,
            "count": number(part(kinds, kind).get("at_threshold")),
            "all": number(part(kinds, kind).get("count")),
            "gain": number(part(kinds, kind).get("AP50_gain")),
            "said": said,
        }
        for kind, said in _KINDS.items()
        if kind in kinds
    ]
    return sorted(rows, key=lambda row: -(row["gain"] or 0.0))


def confusion(analysis: Mapping[str, Any], places: Mapping[str, int]) -> dict[str, Any] | None:
    """The matrix as rows of cells; a cell has its count, its share of the largest, and the places of its pictures.

    Args:
        analysis: the content of analysis.json.
        places: where in the gallery the picture of a file is.
    """
    content = part(analysis, "confusion")
    classes, counts = content.get("classes"), content.get("counts")
    if not isinstance(classes, list) or not isinstance(counts, list):
        return None
    names = [str(name) for name in classes]
    pictures: dict[tuple[Any, Any], list[int]] = {
        (entry.get("annotated"), entry.get("detected")): [
            places[name] for name in entry.get("images") or [] if name in places
        ]
        for entry in content.get("images") or []
        if isinstance(entry, Mapping)
    }
    rows = []
    matrix = [[number(value) or 0.0 for value in row] for row in counts if isinstance(row, list)]
    most = max([1.0, *(value for values in matrix for value in values)])
    for r, values in enumerate(matrix):
        cells = [
            {"count": value, "share": value / most, "right": r == c < len(names), "pictures": pictures.get((r, c), [])}
            for c, value in enumerate(values)
        ]
        rows.append({"name": names[r] if r < len(names) else None, "cells": cells})
    return {"classes": names, "columns": [*names, "nothing"], "rows": rows}


def by_iou(analysis: Mapping[str, Any]) -> list[tuple[float | None, float | None]]:
    """`(IoU, AP)`, the loosest IoU first."""
    rows = analysis.get("by_iou")
    return [
        (number(row.get("IoU")), number(row.get("AP")))
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, Mapping)
    ]
