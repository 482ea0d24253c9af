"""COCO JSON: what passes between stages, and a format that people bring.

Boxes stand in it as `[x, y, width, height]` in absolute pixels. Beyond COCO's own keys, files written here hold
`info.root` (the folder of the images), `images[].source`, `sha256`, `perceptual_hash` and `given_split`,
`annotations[].difficult` and `problems`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from tasks.dataset.boxes import Boxes, area, as_boxes, corners, from_xywh, to_xywh
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem, flags
from tasks.dataset.detections import Detections
from tasks.dataset.splits import split_named
from tasks.errors import FormatError
from tasks.ground.files import read_json, write_json, write_json_lists
from tasks.ground.numbers import pixels
from tasks.ground.text import shortened

_LONGEST_SAID = 200


def write_coco(dataset: Dataset, path: Path) -> None:
    """Write `dataset`; image ids count from 1 in its order, category ids in the order of its classes."""
    head = {"info": {"root": dataset.root.as_posix()}, "categories": _categories(dataset)}
    problems = (_problem_entry(problem) for problem in dataset.problems)
    lists = {"images": _images(dataset), "annotations": _annotations(dataset), "problems": problems}
    write_json_lists(path, head, lists)


def to_coco(dataset: Dataset) -> dict[str, Any]:
    """The images, annotations and categories of `dataset` as `write_coco` writes them."""
    return {
        "images": list(_images(dataset)),
        "annotations": list(_annotations(dataset)),
        "categories": _categories(dataset),
    }


def _categories(dataset: Dataset) -> list[dict[str, Any]]:
    return [{"id": number, "name": name} for number, name in enumerate(dataset.classes, start=1)]


def _images(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for image_id, image in enumerate(dataset.images, start=1):
        yield {
            "id": image_id,
            "file_name": image.file_name,
            "width": image.width,
            "height": image.height,
            "source": image.source,
            "sha256": image.sha256,
            "perceptual_hash": image.perceptual_hash,
            "given_split": image.given_split,
        }


def _annotations(dataset: Dataset) -> Iterator[dict[str, Any]]:
    category_ids = {name: number for number, name in enumerate(dataset.classes, start=1)}
    annotation_ids = count(1)
    for image_id, image in enumerate(dataset.images, start=1):
        boxes_xywh, areas = to_xywh(image.boxes), area(image.boxes)
        for i, name in enumerate(image.classes):
            yield {
                "id": next(annotation_ids),
                "image_id": image_id,
                "category_id": category_ids[name],
                "bbox": boxes_xywh[i].tolist(),
                "area": float(areas[i]),
                "iscrowd": int(image.iscrowd[i]),
                "difficult": int(image.difficult[i]),
            }


def _problem_entry(problem: Problem) -> dict[str, Any]:
    """Without the image and the box where there are none: most problems of large data sets have neither."""
    return {key: value for key, value in asdict(problem).items() if value or key not in ("image", "box")}


def read_coco(path: Path) -> Dataset:
    """The data set in a COCO JSON file, images in id order; without `info.root` they lie beside the file.

    Raises:
        FormatError: the file is not JSON, or lacks what COCO requires; the message names the entry.
    """
    content = read_json(path, "COCO JSON")
    try:
        return _from_coco(content, path)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FormatError(
            f"{path}: not COCO JSON: {_said(error)}; expected lists images, annotations, categories"
        ) from error


def _said(error: Exception) -> str:
    return f"there is no {error.args[0]!r}" if isinstance(error, KeyError) else shortened(str(error), _LONGEST_SAID)


def _from_coco(content: Any, path: Path) -> Dataset:
    images, annotations, categories = (_entries(content, key) for key in ("images", "annotations", "categories"))
    names = {number: _name(entry) for number, entry in _by_id(categories, "categories").items()}
    entries = _by_id(images, "images")
    by_image: dict[int | str, list[dict[str, Any]]] = {number: [] for number in entries}
    for place, annotation in enumerate(annotations, start=1):
        for key, known in (("image_id", entries), ("category_id", names)):
            if _id(annotation, key, f"annotation {place}") not in known:
                raise ValueError(f"annotation {place} refers to no {key.removesuffix('_id')}: {annotation[key]}")
        by_image[annotation["image_id"]].append(annotation)
    return Dataset(
        root=_root(content, path),
        classes=tuple(names[key] for key in sorted(names)),
        images=tuple(_image(entries[key], by_image[key], names, path) for key in sorted(entries)),
        problems=tuple(map(_problem, _entries(content, "problems"))) if "problems" in content else (),
    )


def _root(content: dict[str, Any], path: Path) -> Path:
    info = content.get("info")
    root = info.get("root") if isinstance(info, dict) else None
    return Path(root) if isinstance(root, str) else path.parent


def _entries(content: Any, key: str) -> list[dict[str, Any]]:
    if not isinstance(content, dict):
        raise TypeError(f"it is {_kind(content)}, not an object")
    entries = content[key]
    if not isinstance(entries, list):
        raise TypeError(f"{key} is {_kind(entries)}, not a list")
    odd = next((place for place, entry in enumerate(entries, start=1) if not isinstance(entry, dict)), None)
    if odd is not None:
        raise TypeError(f"entry {odd} of {key} is {_kind(entries[odd - 1])}, not an object")
    return entries


def _kind(value: Any) -> str:
    """What JSON calls a value."""
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def _by_id(entries: list[dict[str, Any]], key: str) -> dict[int | str, dict[str, Any]]:
    found: dict[int | str, dict[str, Any]] = {}
    for place, entry in enumerate(entries, start=1):
        number = _id(entry, "id", f"entry {place} of {key}")
        if number in found:
            raise ValueError(f"two of {key} have the id {number}")
        found[number] = entry
    if len({type(number) for number in found}) > 1:
        raise ValueError(f"the ids of {key} are numbers and text")
    return found


def _id(entry: dict[str, Any], key: str, where: str) -> int | str:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(
            f"{where} has no {key} that is a whole number" if value is None else f"{where}: {key} is {value}"
        )
    return value


def _name(category: dict[str, Any]) -> str:
    if not isinstance(category.get("name"), str):
        raise TypeError(f"the category {category['id']} has no name that is text")
    return str(category["name"])


def _problem(entry: dict[str, Any]) -> Problem:
    """Files that were written before problems had an image and a box lack both."""
    box = entry.get("box")
    numbers = None if box is None else corners(as_boxes([box]).reshape(4))
    problem = Problem(**{**entry, "box": numbers})
    if not all(isinstance(value, str) for key, value in asdict(problem).items() if key != "box"):
        raise TypeError("an entry of problems holds something that is no text")
    return problem


def _boxes(entry: dict[str, Any], rows: list[dict[str, Any]]) -> Boxes:
    for row in rows:
        box = row.get("bbox")
        numbers = isinstance(box, list) and len(box) == 4
        if not numbers or any(isinstance(side, str | list | dict | bool) for side in box or ()):
            said = "no bbox" if box is None else f"the bbox {json.dumps(box)[:_LONGEST_SAID]}, not four numbers"
            raise ValueError(f"annotation {row.get('id')} of image {entry['id']} has {said}")
    return from_xywh(as_boxes([row["bbox"] for row in rows]))


def _image(
    entry: dict[str, Any], rows: list[dict[str, Any]], names: Mapping[int | str, str], path: Path
) -> AnnotatedImage:
    # x + (xmax - x) can miss xmax by a rounding error; pixels written with decimals come back as they were.
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite or NaN is told of as no number
        boxes = np.round(_boxes(entry, rows), 6)
    if not isinstance(entry.get("file_name"), str):
        raise TypeError(f"image {entry['id']} has no file_name that is text")
    return AnnotatedImage(
        file_name=entry["file_name"],
        width=pixels(entry.get("width")),
        height=pixels(entry.get("height")),
        boxes=boxes,
        classes=tuple(names[row["category_id"]] for row in rows),
        difficult=flags(len(rows), (bool(row.get("difficult", 0)) for row in rows)),
        iscrowd=flags(len(rows), (bool(row.get("iscrowd", 0)) for row in rows)),
        source=str(entry.get("source") or path.as_posix()),
        sha256=str(entry.get("sha256", "")),
        perceptual_hash=str(entry.get("perceptual_hash", "")),
        given_split=split_named(str(entry.get("given_split") or "")),
    )


def write_detections(detections: Sequence[Detections], dataset: Dataset, path: Path) -> None:
    """COCO results JSON: the list that `detection_rows` gives."""
    write_json(path, detection_rows(detections, dataset))


def detection_rows(detections: Sequence[Detections], dataset: Dataset) -> list[dict[str, Any]]:
    """`image_id, category_id, bbox, score` of every detection, ids as `write_coco(dataset)` gives them.

    `detections[i]` belongs to `dataset.images[i]`.
    """
    category_ids = {name: number for number, name in enumerate(dataset.classes, start=1)}
    rows: list[dict[str, Any]] = []
    for image_id, found in enumerate(detections, start=1):
        boxes_xywh = to_xywh(found.boxes)
        rows.extend(
            {
                "image_id": image_id,
                "category_id": category_ids[name],
                "bbox": boxes_xywh[i].tolist(),
                "score": float(found.scores[i]),
            }
            for i, name in enumerate(found.classes)
        )
    return rows


def read_detections(path: Path, dataset: Dataset) -> list[Detections]:
    """One `Detections` for each image of `dataset`, in its order, from what `write_detections` wrote.

    Raises:
        FormatError: the file is not COCO results JSON for this data set.
    """
    rows_of: list[list[dict[str, Any]]] = [[] for _ in dataset.images]
    try:
        for row in json.loads(path.read_text(encoding="utf-8")):
            rows_of[row["image_id"] - 1].append(row)
        return [
            Detections(
                boxes=from_xywh(as_boxes([row["bbox"] for row in rows])),
                classes=tuple(dataset.classes[row["category_id"] - 1] for row in rows),
                scores=np.array([row["score"] for row in rows], dtype=np.float64),
            )
            for rows in rows_of
        ]
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise FormatError(f"{path}: not detections of these {len(dataset.images)} images ({error!r:.200})") from error
