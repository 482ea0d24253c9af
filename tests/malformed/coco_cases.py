"""COCO JSON that is broken, of other types, or contradicts itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.malformed.case import Case, picture

INGEST = "refused by ingest"
NO_NUMBERS = ("image_left_empty", "unreadable_object")


def good_coco() -> dict[str, Any]:
    """Two images with a box each."""
    return {
        "images": [
            {"id": 1, "file_name": "good.jpg", "width": 64, "height": 48},
            {"id": 2, "file_name": "bad.jpg", "width": 64, "height": 48},
        ],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 30]},
            {"id": 2, "image_id": 2, "category_id": 1, "bbox": [5, 5, 40, 30]},
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }


def _json(name: str, content: str | bytes, ends: tuple[str, ...] | str = INGEST) -> Case:
    def make(folder: Path) -> None:
        picture(folder / "data" / "good.jpg")
        picture(folder / "data" / "bad.jpg")
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / "data" / "boxes.json").write_bytes(raw)

    return Case(name, "coco", make, ends, params={"ingest": {"source": "data/boxes.json", "images": "data"}})


def _bent(name: str, bend: Callable[[dict[str, Any]], object], ends: tuple[str, ...] | str = INGEST) -> Case:
    content = good_coco()
    bend(content)
    return _json(name, json.dumps(content), ends)


def _row(name: str, ends: tuple[str, ...] | str = INGEST, **changes: Any) -> Case:
    return _bent(name, lambda c: c["annotations"][1].update(changes), ends)


def _image(name: str, ends: tuple[str, ...] | str = INGEST, **changes: Any) -> Case:
    return _bent(name, lambda c: c["images"][1].update(changes), ends)


def _written(name: str, old: str, new: str, ends: tuple[str, ...] | str = INGEST) -> Case:
    text = json.dumps(good_coco())
    assert old in text
    return _json(name, text.replace(old, new), ends)


def _corners(content: dict[str, Any]) -> None:
    content["annotations"] = [
        {"id": 10 * i + n, "image_id": i, "category_id": 1, "bbox": [20 + n, 10 + n, 50 + n, 40 + n]}
        for i in (1, 2)
        for n in range(4)
    ]


CASES = [
    _bent("bbox-of-corners", _corners, "refused by validate"),
    _row("an-id-as-text", (), image_id="2", category_id="1"),
    _json("truncated", json.dumps(good_coco())[:-30]),
    _json("empty", b""),
    _json("an-empty-object", "{}"),
    _json("a-number", "7"),
    _json("utf-16", json.dumps(good_coco()).encode("utf-16")),
    _json("deep-nesting", '{"images":' + "[" * 200_000 + "]" * 200_000 + "}"),
    _json("deep-objects", '{"a":' * 100_000 + "1" + "}" * 100_000),
    _json("nul-bytes", json.dumps(good_coco()).replace("cat", "c\0t")),
    _bent("images-is-an-object", lambda c: c.update(images={"1": c["images"][0]})),
    _bent("images-is-null", lambda c: c.update(images=None)),
    _bent("annotations-is-text", lambda c: c.update(annotations="none")),
    _bent("annotations-of-numbers", lambda c: c.update(annotations=[1, 2])),
    _bent("categories-missing", lambda c: c.pop("categories")),
    _bent("info-is-a-list", lambda c: c.update(info=["x"]), ()),
    _bent("info-root-elsewhere", lambda c: c.update(info={"root": "/etc"}), ()),
    _bent("no-images-at-all", lambda c: c.update(images=[], annotations=[])),
    _bent("two-images-of-one-id", lambda c: c["images"][1].update(id=1)),
    _bent("two-annotations-of-one-id", lambda c: c["annotations"][1].update(id=1), ()),
    _bent("two-categories-of-one-id", lambda c: c["categories"].append({"id": 1, "name": "dog"})),
    _bent("two-categories-of-one-name", lambda c: c["categories"].append({"id": 2, "name": "cat"}), ()),
    _bent("a-category-without-a-name", lambda c: c["categories"].append({"id": 2})),
    _bent("category-name-is-a-list", lambda c: c["categories"][0].update(name=["cat"])),
    _bent("category-name-is-null", lambda c: c["categories"][0].update(name=None)),
    _bent("ids-of-two-types", lambda c: (c["images"][0].update(id="1"), c["annotations"][0].update(image_id="1")), ()),
    _bent("a-list-as-id", lambda c: c["images"][1].update(id=[2])),
    _row("an-image-that-is-not-there", ("no_objects", "unreadable_object"), image_id=99),
    _row("a-category-that-is-not-there", ("image_left_empty", "unknown_class"), category_id=99),
    _row("image-id-is-a-list", ("no_objects", "unreadable_object"), image_id=[2]),
    _row("bbox-of-three", NO_NUMBERS, bbox=[1, 2, 3]),
    _row("bbox-of-five", NO_NUMBERS, bbox=[1, 2, 3, 4, 5]),
    _row("bbox-is-null", NO_NUMBERS, bbox=None),
    _row("bbox-is-an-object", NO_NUMBERS, bbox={"x": 1, "y": 1, "w": 9, "h": 9}),
    _row("bbox-of-words", NO_NUMBERS, bbox=["left", "top", "9", "9"]),
    _row("bbox-nested", NO_NUMBERS, bbox=[[1, 2, 3, 4]]),
    _row("bbox-of-nulls", NO_NUMBERS, bbox=[None, None, None, None]),
    _row("bbox-of-zeros", ("image_left_empty", "tiny_box"), bbox=[5, 5, 0, 0]),
    _row("bbox-negative", ("inverted_box",), bbox=[50, 40, -40, -30]),
    _bent("bbox-missing", lambda c: c["annotations"][1].pop("bbox"), NO_NUMBERS),
    _row("iscrowd-is-a-word", (), iscrowd="no"),
    _written("nan", "40, 30]}]", "NaN, 30]}]", NO_NUMBERS),
    _written("infinity", "40, 30]}]", "40, -Infinity]}]", NO_NUMBERS),
    _written("1e999", "40, 30]}]", "1e999, 30]}]", NO_NUMBERS),
    _written("a-number-of-400-digits", "40, 30]}]", "9" * 400 + ", 30]}]"),
    _written("a-number-of-5000-digits", "40, 30]}]", "9" * 5000 + ", 30]}]"),
    _written("a-key-twice", '"bbox": [5', '"bbox": [9, 9], "bbox": [5', ()),
    _written("a-lone-surrogate", '"cat"', '"\\ud800"'),
    _written("a-control-character", '"cat"', '"\\u001b[2J\\u009b31m\\u202ecat"', ()),
    _image("file-name-is-a-number", file_name=7),
    _image("file-name-is-null", file_name=None),
    _image(
        "file-name-climbs-out",
        ("box_of_dropped_image", "image_without_annotation", "path_outside_root"),
        file_name="../../etc/passwd",
    ),
    _image("width-is-a-list", ("size_missing",), width=[64]),
    _image("width-is-a-word", ("size_missing",), width="wide"),
    _image("width-is-negative", ("size_missing",), width=-64),
    _image("width-of-300-digits", ("size_missing",), width=10**300),
    _image("width-is-infinite", ("size_missing",), width=float("inf")),
    _image("width-is-text", (), width="64"),
    _bent("problems-of-its-own", lambda c: c.update(problems=[{"kind": [], "file": 1, "detail": None, "action": {}}])),
    _bent("problems-is-a-number", lambda c: c.update(problems=5)),
    _bent(
        "problems-of-another-kind",
        lambda c: c.update(problems=[{"kind": "\x1b[2J", "file": "f", "detail": "d", "action": "dropped_box"}]),
        ("\x1b[2J",),
    ),
]
