"""Label Studio's JSON with shapes that no export has."""

import json
from pathlib import Path
from typing import Any

from tests.malformed.case import Case, picture

INGEST = "refused by ingest"
NO_BOX = ("image_left_empty", "unreadable_object")
UNREADABLE = ("image_without_annotation", "unreadable_annotation")
UNUSED = ("image_without_annotation",)


def _result(**changes: Any) -> dict[str, Any]:
    value = {"x": 10, "y": 10, "width": 50, "height": 50, "rectanglelabels": ["cat"], **changes.pop("value", {})}
    return {"type": "rectanglelabels", "original_width": 64, "original_height": 48, "value": value, **changes}


def _task(image: Any = "bad.jpg", **changes: Any) -> dict[str, Any]:
    return {"id": 2, "data": {"image": image}, "annotations": [{"result": [_result()]}], **changes}


def _export(name: str, entry: Any, ends: tuple[str, ...] | str, text: str | None = None) -> Case:
    def make(folder: Path) -> None:
        picture(folder / "data" / "good.jpg")
        picture(folder / "data" / "bad.jpg")
        whole = json.dumps([_task("good.jpg", id=1), entry]) if text is None else text
        (folder / "data" / "export.json").write_text(whole, encoding="utf-8")

    changes = {"source": "data/export.json", "images": "data", "format": "label_studio"}
    return Case(name, "label-studio", make, ends, params={"ingest": changes})


def _with(name: str, ends: tuple[str, ...], **changes: Any) -> Case:
    return _export(name, _task(annotations=[{"result": [_result(**changes)]}]), ends)


def _of_one_region(*others: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return _task(annotations=[{"result": [_result(id="r", **changes), *others]}])


CASES = [
    _export(
        "choices-of-a-rectangle",
        _of_one_region({"id": "r", "type": "choices", "value": {"x": 10, "choices": ["\x1b[2Jred"]}}),
        ("unused_result",),
    ),
    _export(
        "a-label-apart-from-its-rectangle",
        _of_one_region({"id": "r", "type": "labels", "value": {"x": 10, "labels": ["cat"]}}, type="rectangle"),
        (),
    ),
    _export("an-object", None, INGEST, text='{"tasks": []}'),
    _export("truncated", None, INGEST, text=json.dumps([_task()])[:-9]),
    _export("deep-nesting", None, INGEST, text="[" * 100_000 + "]" * 100_000),
    _export("no-tasks", None, INGEST, text="[]"),
    _export("a-task-of-text", "task", UNREADABLE),
    _export("a-task-of-null", None, UNREADABLE),
    _export("data-is-null", _task(data=None), UNREADABLE),
    _export("data-is-a-list", _task(data=["bad.jpg"]), UNREADABLE),
    _export("image-is-a-number", _task(7), UNREADABLE),
    _export("image-is-the-image-itself", _task("data:image/png;base64," + "A" * 100_000), UNREADABLE),
    _export(
        "image-climbs-out",
        _task("/data/local-files/?d=../../etc/passwd"),
        ("box_of_dropped_image", "image_without_annotation", "path_outside_root"),
    ),
    _export(
        "image-climbs-out-percent-encoded",
        _task("/data/upload/1/%2e%2e%2f%2e%2e%2fetc/passwd"),
        ("box_of_dropped_image", "image_without_annotation", "path_outside_root"),
    ),
    _export(
        "image-is-no-address",
        _task("http://[bad.jpg"),
        ("box_of_dropped_image", "image_without_annotation", "missing_image"),
    ),
    _export("annotations-is-text", _task(annotations="none"), UNREADABLE),
    _export("annotations-is-empty", _task(annotations=[]), UNUSED),
    _export("result-is-an-object", _task(annotations=[{"result": {}}]), UNREADABLE),
    _export("results-of-null", _task(annotations=[{"result": [None]}]), ("image_left_empty", "unsupported_result")),
    _export("id-of-400-digits", _task(id=10**400), ()),
    _export("time-is-nonsense", _task(annotations=[{"result": [_result()], "updated_at": "9999-99-99"}]), ()),
    _export(
        "time-before-all-time",
        _task(annotations=[{"result": [_result()], "updated_at": "0001-01-01T00:00:00+14:00"}]),
        (),
    ),
    _with("value-is-null", NO_BOX, value={"x": None}),
    _with("value-is-text", NO_BOX, value={"x": "10"}),
    _with("value-is-true", NO_BOX, value={"x": True}),
    _with("value-is-1e308", NO_BOX, value={"width": 1e308}),
    _with("labels-is-an-object", ("empty_class_name", "image_left_empty"), value={"rectanglelabels": {"cat": 1}}),
    _with("labels-is-empty", ("empty_class_name", "image_left_empty"), value={"rectanglelabels": []}),
    _with("rotation-is-a-word", NO_BOX, value={"rotation": "left"}),
    _with("turned-image", ("image_left_empty", "unsupported_result"), image_rotation=90),
    _with("size-0", (), original_width=0),
    _with("size-is-negative", (), original_width=-64),
    _with("size-is-text", (), original_width="64"),
    _with("a-polygon", ("image_left_empty", "unsupported_result"), type="polygonlabels"),
    _with("type-with-an-escape", ("image_left_empty", "unsupported_result"), type="\x1b[2J"),
    _with("type-is-a-list", ("image_left_empty", "unsupported_result"), type=["rectanglelabels"]),
]
