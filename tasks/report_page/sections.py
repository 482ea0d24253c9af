"""The page's tables, from the metrics files: any figure may be missing from those, and then shows as a dash."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tasks.annotation.dataset import Dataset
from tasks.report_page.page import number

if TYPE_CHECKING:
    from tasks.params import Section

HEADLINES = {
    "mAP": "averaged over IoU 0.50 to 0.95 and the classes",
    "AP50": "a box counts from IoU 0.50 on",
    "AP75": "a box counts from IoU 0.75 on",
    "AR100": "recall with up to 100 boxes an image",
}
_FURTHER = ("APsmall", "APmedium", "APlarge", "AR1", "AR10", "ARsmall", "ARmedium", "ARlarge")
_KINDS = {
    "classification": "on an object, but of another class",
    "localisation": "of the right class, but the box is off (IoU 0.1 to 0.5)",
    "both": "the class is wrong and the box is off",
    "duplicate": "of an object that a surer detection has found already",
    "background": "on nothing",
    "missed": "objects that no detection comes near",
}


@dataclass(frozen=True)
class Pair:
    """A figure of the two exported models, each in 0..1 or None.

    Attributes:
        interval: ends of the 95 % interval of the SavedModel's; None where it has none.
    """

    name: str
    saved_model: float | None
    tflite: float | None
    note: str = ""
    interval: tuple[float, float] | None = None

    @property
    def difference(self) -> float | None:
        """TFLite less SavedModel."""
        return None if self.saved_model is None or self.tflite is None else self.tflite - self.saved_model


def headlines(metrics: Mapping[str, Any], analysis: Mapping[str, Any]) -> list[Pair]:
    """The four figures that stand first, with their intervals as far as analysis.json has them."""
    return [
        replace(_pair(metrics, name, note), interval=interval_of(analysis, name)) for name, note in HEADLINES.items()
    ]


def interval_of(analysis: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    """The 95 % interval of a figure; None where there is none."""
    ends = _part(analysis, "intervals").get(name)
    low, high = (number(end) for end in ends) if isinstance(ends, list) and len(ends) == 2 else (None, None)
    return None if low is None or high is None else (low, high)


def further(metrics: Mapping[str, Any]) -> list[Pair]:
    """COCO's other figures, as far as either model has them."""
    pairs = [_pair(metrics, name) for name in _FURTHER]
    return [pair for pair in pairs if pair.saved_model is not None or pair.tflite is not None]


def class_rows(
    metrics: Mapping[str, Any], analysis: Mapping[str, Any], test: Dataset, colours: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A row for each class of the data set: test boxes, AP with its interval, AP50 and AR100, and TFLite's AP."""
    boxes = test.box_counts()
    saved_model, tflite = (_part(_part(metrics, model), "per_class") for model in ("saved_model", "tflite"))
    return [
        {
            "name": name,
            "colour": colours[name],
            "boxes": boxes[name],
            **{key: number(_part(saved_model, name).get(key)) for key in ("AP", "AP50", "AR100")},
            "interval": interval_of(analysis, f"AP of {name}"),
            "tflite": number(_part(tflite, name).get("AP")),
        }
        for name in test.classes
    ]


def training(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What metrics/train.json says, each key there or None; counts of variables also where it lists their names."""
    facts: dict[str, Any] = dict.fromkeys(
        (
            "steps",
            "best_step",
            "best_mAP",
            "batch_size",
            "loss",
            "seconds",
            "step_ms_median",
            "images_per_s",
            "startup_s",
            "peak_memory_mb",
            "trainable_variables",
            "frozen_variables",
            "frozen_max_abs_change",
        )
    )
    for key in facts:
        value = metrics.get(key)
        facts[key] = float(len(value)) if isinstance(value, list) else number(value)
    facts["stopped_by"] = str(metrics.get("stopped_by") or "steps")
    return facts


def frozen(rows: Any) -> list[dict[str, Any]]:
    """A row for each module, from what the train stage writes to freeze.json; none where there is no such file."""
    counts = ("parameters", "frozen_parameters", "trained", "frozen", "unchanged")
    changes = ("trained_max_abs_change", "frozen_max_abs_change", "frozen_statistics_max_abs_change")
    return [
        {"module": str(row.get("module", "?")), **{key: number(row.get(key)) for key in (*counts, *changes)}}
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, Mapping)
    ]


def restored(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the checkpoint filled: its source, a row a module with a count of each outcome, names that it filled not.

    `mismatched` did not fit; `left_over` are names in the checkpoint that the model has no variable for.
    """
    rows: list[dict[str, Any]] = [
        {
            "module": str(row.get("module", "?")),
            **{key: number(row.get(key)) for key in ("variables", "restored", "new", "mismatched")},
        }
        for row in content.get("modules") or []
        if isinstance(row, Mapping)
    ]
    total = {key: sum(row[key] or 0 for row in rows) for key in ("variables", "restored", "new", "mismatched")}
    return {
        "source": str(content.get("source") or ""),
        "rows": rows,
        "total": total,
        **{key: [str(name) for name in content.get(key) or []] for key in ("mismatched", "left_over")},
    }


def findings(rows: Any) -> list[dict[str, str]]:
    """A row for each thing that the configure stage found before training, from what it writes to lint.json."""
    keys = ("level", "key", "value", "why", "remedy")
    return [
        {key: str(row.get(key, "")) for key in keys}
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, Mapping)
    ]


def _pair(metrics: Mapping[str, Any], name: str, note: str = "") -> Pair:
    saved_model, tflite = (number(_part(metrics, model).get(name)) for model in ("saved_model", "tflite"))
    return Pair(name, saved_model, tflite, note)


def _part(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = content.get(key)
    return part if isinstance(part, Mapping) else {}


def shipped_score(metrics: Mapping[str, Any]) -> float | None:
    """The score from which the exported model's detections are worth showing."""
    return number(_part(metrics, "saved_model").get("score_threshold"))


def operating(analysis: Mapping[str, Any], classes: Sequence[str], colours: Mapping[str, str]) -> list[dict[str, Any]]:
    """Precision, recall and F1 at the shipped score and the best F1 there could be; the first row is of all classes."""
    shipped, best = _part(analysis, "at_threshold"), _part(analysis, "at_best_F1")
    if not _part(shipped, "all"):
        return []
    rows = [("all classes", "", _part(shipped, "all"), _part(best, "all"))]
    for name in classes:
        own, most = (_part(_part(which, "per_class"), name) for which in (shipped, best))
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
    kinds = _part(analysis, "mistakes")
    rows = [
        {
            "kind": kind,
            "count": number(_part(kinds, kind).get("at_threshold")),
            "all": number(_part(kinds, kind).get("count")),
            "gain": number(_part(kinds, kind).get("AP50_gain")),
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
    content = _part(analysis, "confusion")
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


def param_rows(given: Sequence["Section"]) -> list[tuple[str, str]]:
    """`(section.key, value)` of every param, as JSON."""
    return [
        (f"{type(section).__name__.removesuffix('Params').lower()}.{key}", json.dumps(value, ensure_ascii=False))
        for section in given
        for key, value in section.model_dump(mode="json").items()
    ]


def speed(content: Mapping[str, Any]) -> dict[str, Any] | None:
    """What speed.json says of both models, and of which machine; None where nobody measured."""
    rows = [
        {
            "name": title,
            **{key: number(_part(content, name).get(key)) for key in ("size_mb", "latency_ms", "images_per_s")},
        }
        for name, title in (("saved_model", "SavedModel"), ("tflite", "TFLite"))
        if name in content
    ]
    return {"machine": str(content.get("machine") or "a machine that is not recorded"), "rows": rows} if rows else None
