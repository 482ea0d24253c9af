"""COCO JSON: what passes between stages, and a format that people bring.

Boxes stand in it as `[x, y, width, height]` in absolute pixels. Beyond COCO's own keys, files written here hold
`info.root` (the folder of the images), `images[].source`, `sha256`, `perceptual_hash`, `given_split` and `slices`,
`annotations[].difficult` and `problems`.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from tasks.dataset.boxes import Boxes, area, as_boxes, corners, from_xywh, to_xywh
from tasks.dataset.coco_entries import (
    CocoAnnotation,
    CocoCategory,
    CocoContent,
    CocoImage,
    CocoResult,
    Entry,
    Id,
    ProblemEntry,
    checked_entries,
    checked_object,
    checked_text,
    entries_by_id,
    image_entry,
    referenced_id,
    slices_in,
)
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem, flags
from tasks.dataset.detections import Detections
from tasks.dataset.splits import split_named
from tasks.errors import DataError, FormatError
from tasks.ground.files import read_json, write_json, write_json_lists
from tasks.ground.numbers import side_px
from tasks.ground.stage_files import require_file, written_by
from tasks.ground.text import quoted, shortened

_MAX_QUOTED = 200


def write_coco(dataset: Dataset, path: Path) -> None:
    """Write `dataset`; image ids count from 1 in its order, category ids in the order of its classes.

    Raises:
        DataError: the name of a file, a folder or a class is not UTF-8.
    """
    head = {"info": {"root": dataset.root.as_posix()}, "categories": _categories(dataset)}
    problems = (_problem_entry(problem) for problem in dataset.problems)
    lists = {"images": _images(dataset), "annotations": _annotations(dataset), "problems": problems}
    try:
        write_json_lists(path, head, lists)
    except UnicodeEncodeError as error:
        text, at = error.object, error.start
        name = text[text.rfind('"', 0, at) + 1 : text.find('"', at)]
        raise DataError(f"{quoted(name)}: the name of a file, a folder or a class is not UTF-8; rename it") from error


def to_coco(dataset: Dataset) -> CocoContent:
    """The images, annotations and categories of `dataset` as `write_coco` writes them."""
    return {
        "images": list(_images(dataset)),
        "annotations": list(_annotations(dataset)),
        "categories": _categories(dataset),
    }


def _categories(dataset: Dataset) -> list[CocoCategory]:
    return [{"id": number, "name": name} for number, name in enumerate(dataset.classes, start=1)]


def _images(dataset: Dataset) -> Iterator[CocoImage]:
    for image_id, image in enumerate(dataset.images, start=1):
        yield image_entry(image_id, image)


def _annotations(dataset: Dataset) -> Iterator[CocoAnnotation]:
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


def _problem_entry(problem: Problem) -> ProblemEntry:
    entry: ProblemEntry = {
        "kind": problem.kind,
        "file": problem.file,
        "detail": problem.detail,
        "action": problem.action,
    }
    if problem.image:
        entry["image"] = problem.image
    if problem.box:
        entry["box"] = problem.box
    return entry


def read_coco(path: Path, *, of_people: bool = False) -> Dataset:
    """The data set in a COCO JSON file, images in id order; without `info.root` they lie beside the file.

    Args:
        path: the file.
        of_people: not of a stage: an annotation that cannot be used is a problem and not an error. Where its bbox is
            not four numbers, its box is NaN.

    Raises:
        FormatError: the file is not JSON, or lacks what COCO requires; the message names the entry.
    """
    content = read_json(path, "COCO JSON", reduce=_without_outline)
    try:
        return _from_coco(checked_object(content), path, of_people)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FormatError(
            f"{path}: not COCO JSON: {_reason(error)}; expected lists images, annotations, categories"
        ) from error


def read_stage_coco(path: Path, stage: str) -> Dataset:
    """The data set in `path`, which `stage` writes.

    Raises:
        DataError: there is no such file.
        FormatError: it is not COCO JSON; the message names the stage and how to restore the file.
    """
    with written_by(stage):
        return read_coco(require_file(path, stage))


def _without_outline(entry: dict[str, Any]) -> dict[str, Any]:
    """Outlines and key points are not used, and most of a file: all at once they would take several times its size."""
    for key in ("segmentation", "keypoints"):
        entry.pop(key, None)
    return entry


def _reason(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else shortened(str(error), _MAX_QUOTED)


def _from_coco(content: Entry, path: Path, of_people: bool) -> Dataset:
    images, annotations, categories = (checked_entries(content, key) for key in ("images", "annotations", "categories"))
    names = {
        number: checked_text(entry, "name", f"the category {number}")
        for number, entry in entries_by_id(categories, "categories").items()
    }
    entries = entries_by_id(images, "images")
    by_image: dict[Id, list[tuple[str, Entry]]] = {number: [] for number in entries}
    problems = list(map(_problem, checked_entries(content, "problems"))) if "problems" in content else []
    for place, annotation in enumerate(annotations, start=1):
        where = f"annotation {place}"
        try:
            image_id = referenced_id(annotation, "image_id", entries, where)
        except (TypeError, ValueError) as error:
            if not of_people:
                raise
            detail = shortened(str(error), _MAX_QUOTED)
            problems.append(Problem("unreadable_object", path.as_posix(), detail, "dropped_box"))
            continue
        by_image[image_id].append(_object(annotation, names, where, of_people))
    return Dataset(
        root=_root(content, path),
        classes=tuple(names[key] for key in sorted(names)),
        images=tuple(_image(entries[key], by_image[key], path, of_people) for key in sorted(entries)),
        problems=tuple(problems),
    )


def _object(annotation: Entry, names: Mapping[Id, str], where: str, of_people: bool) -> tuple[str, Entry]:
    """The class of an annotation, and the annotation; without a class it has no bbox, so that its image lacks one."""
    try:
        return names[referenced_id(annotation, "category_id", names, where)], annotation
    except (TypeError, ValueError):
        if not of_people:
            raise
        return shortened(f"category {annotation.get('category_id')}"), {**annotation, "bbox": None}


def _root(content: Entry, path: Path) -> Path:
    info = content.get("info")
    root = info.get("root") if isinstance(info, dict) else None
    return Path(root) if isinstance(root, str) else path.parent


def _problem(entry: Entry) -> Problem:
    """Files that were written before problems had an image and a box lack both."""
    box = entry.get("box")
    numbers = None if box is None else corners(_as_boxes([box]).reshape(4))
    texts = {key: value for key, value in entry.items() if isinstance(value, str)}
    if entry.keys() - texts.keys() - {"box"}:
        raise TypeError("an entry of problems holds a value that is not text")
    return Problem(**texts, box=numbers)


def _boxes(image_id: object, rows: Sequence[Entry], of_people: bool) -> Boxes:
    boxes: list[object] = []
    for row in rows:
        box = row.get("bbox")
        numbers = box if isinstance(box, list) and len(box) == 4 else [""]
        if not any(isinstance(side, str | list | dict | bool) for side in numbers):
            boxes.append(box)
        elif of_people:
            boxes.append([math.nan] * 4)
        else:
            content = "no bbox" if box is None else f"the bbox {json.dumps(box)[:_MAX_QUOTED]}, not four numbers"
            raise ValueError(f"annotation {row.get('id')} of image {image_id} has {content}")
    return from_xywh(_as_boxes(boxes))


def _as_boxes(rows: list[object]) -> Boxes:
    return as_boxes(np.asarray(rows, dtype=np.float64))


def _image(entry: Entry, objects: Sequence[tuple[str, Entry]], path: Path, of_people: bool) -> AnnotatedImage:
    rows = [row for _, row in objects]
    # x + (xmax - x) can miss xmax by a rounding error; pixels written with decimals come back as they were.
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite or NaN is reported as unreadable
        boxes = np.round(_boxes(entry["id"], rows, of_people), 6)
    return AnnotatedImage(
        file_name=checked_text(entry, "file_name", f"image {entry['id']}"),
        width=side_px(entry.get("width")),
        height=side_px(entry.get("height")),
        boxes=boxes,
        classes=tuple(name for name, _ in objects),
        difficult=flags(len(rows), (bool(row.get("difficult", 0)) for row in rows)),
        iscrowd=flags(len(rows), (bool(row.get("iscrowd", 0)) for row in rows)),
        source=str(entry.get("source") or path.as_posix()),
        sha256=str(entry.get("sha256", "")),
        perceptual_hash=str(entry.get("perceptual_hash", "")),
        given_split=split_named(str(entry.get("given_split") or "")),
        slices=slices_in(entry),
    )


def write_detections(detections: Sequence[Detections], dataset: Dataset, path: Path) -> None:
    """COCO results JSON: the list that `detection_rows` gives."""
    write_json(path, detection_rows(detections, dataset))


def detection_rows(detections: Sequence[Detections], dataset: Dataset) -> list[CocoResult]:
    """`image_id, category_id, bbox, score` of every detection, ids as `write_coco(dataset)` gives them.

    `detections[i]` belongs to `dataset.images[i]`.
    """
    category_ids = {name: number for number, name in enumerate(dataset.classes, start=1)}
    rows: list[CocoResult] = []
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
    rows_of: list[list[CocoResult]] = [[] for _ in dataset.images]
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
