"""COCO JSON: what passes between stages, and a format that people bring.

Boxes stand in it as `[x, y, width, height]` in absolute pixels. Beyond COCO's own keys, files written here hold
`info.root` (the folder of the images), `images[].source`, `sha256`, `perceptual_hash` and `given_part`,
`annotations[].difficult` and `problems`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from tasks.annotation.boxes import area, as_boxes, corners, from_xywh, to_xywh
from tasks.annotation.dataset import AnnotatedImage, Dataset, Problem, flags
from tasks.annotation.detections import Detections
from tasks.errors import FormatError
from tasks.files import read_json, write_json, write_json_lists
from tasks.formats.given_parts import part_named


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
            "given_part": image.given_part,
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
            f"{path}: not COCO JSON: {type(error).__name__} {error}; expected lists images, annotations, categories"
        ) from error


def _from_coco(content: dict[str, Any], path: Path) -> Dataset:
    names = {entry["id"]: str(entry["name"]) for entry in content["categories"]}
    by_image: dict[Any, list[dict[str, Any]]] = {entry["id"]: [] for entry in content["images"]}
    for annotation in content["annotations"]:
        if annotation["image_id"] not in by_image:
            raise ValueError(f"annotation {annotation.get('id')} refers to no image: {annotation['image_id']}")
        if annotation["category_id"] not in names:
            raise ValueError(f"annotation {annotation.get('id')} refers to no category: {annotation['category_id']}")
        by_image[annotation["image_id"]].append(annotation)
    return Dataset(
        root=Path(content.get("info", {}).get("root", path.parent)),
        classes=tuple(names[key] for key in sorted(names)),
        images=tuple(
            _image(entry, by_image[entry["id"]], names, path)
            for entry in sorted(content["images"], key=lambda entry: entry["id"])
        ),
        problems=tuple(_problem(entry) for entry in content.get("problems", [])),
    )


def _problem(entry: dict[str, Any]) -> Problem:
    """Files that were written before problems had an image and a box lack both."""
    box = entry.get("box")
    numbers = None if box is None else corners(as_boxes([box]).reshape(4))
    return Problem(**{**entry, "box": numbers})


def _image(entry: dict[str, Any], rows: list[dict[str, Any]], names: dict[Any, str], path: Path) -> AnnotatedImage:
    # x + (xmax - x) can miss xmax by a rounding error; pixels written with decimals come back as they were.
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite or NaN is told of as no number
        boxes = np.round(from_xywh(as_boxes([row["bbox"] for row in rows])), 6)
    return AnnotatedImage(
        file_name=str(entry["file_name"]),
        width=int(entry.get("width") or 0),
        height=int(entry.get("height") or 0),
        boxes=boxes,
        classes=tuple(names[row["category_id"]] for row in rows),
        difficult=flags(len(rows), (bool(row.get("difficult", 0)) for row in rows)),
        iscrowd=flags(len(rows), (bool(row.get("iscrowd", 0)) for row in rows)),
        source=str(entry.get("source") or path.as_posix()),
        sha256=str(entry.get("sha256", "")),
        perceptual_hash=str(entry.get("perceptual_hash", "")),
        given_part=part_named(str(entry.get("given_part") or "")),
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
    except (UnicodeDecodeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: not detections of these {len(dataset.images)} images ({error!r})") from error
