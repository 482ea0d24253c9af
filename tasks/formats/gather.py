"""Annotations together with their images, whatever the format.

No pixel is decoded: where a format gives boxes as fractions of the image's size, the image's header is read. Every
record that could not be read, and every image without annotation, is a `Problem`.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from tasks.dataset.boxes import corners
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem
from tasks.dataset.problem_kinds import dropped_box_problems, remedy
from tasks.errors import DataError, FormatError
from tasks.formats.csv_columns import divided_columns
from tasks.formats.given_splits import split_by_folder, splits_by_list
from tasks.formats.reading import Reading, read_annotations
from tasks.formats.yolo_splits import splits_of_yolo
from tasks.ground.files import relative_to_here, sha256_of
from tasks.ground.text import composed, shortened
from tasks.images.image_finder import ImageFinder, image_folders_for, lexically_absolute

if TYPE_CHECKING:
    from tasks.params import IngestParams

# Beyond it sums and areas of coordinates lose pixels, and far beyond become infinite.
_MAX_COORDINATE_PX = 1e9
# Anything longer is not a name, and would fill every table.
_MAX_NAME_LENGTH = 500


def gather(params: "IngestParams") -> Dataset:
    """The annotations with their images; the classes in the source's order, where it has one.

    Raises:
        DataError: as `ingest`.
    """
    reading = read_annotations(
        params.source, params.format, *divided_columns({str(name): column for name, column in params.columns.items()})
    )
    finder = ImageFinder(_places(params))
    records, unused, faults = _find_images(reading, finder, None if params.source.is_dir() else params.source)
    problems = [*_with_images(reading.problems, records), *faults, *finder.problems]
    if not records:
        raise DataError(_no_image_left(params, problems))
    problems += [
        Problem(
            "image_without_annotation",
            relative_to_here(path),
            "no annotation names it",
            "left_out",
            relative_to_here(path),
        )
        for path in finder.others([*records, *unused])
    ]
    return _with_given_splits(_dataset(records, reading.classes, problems), params, reading.format)


def _places(params: "IngestParams") -> list[Path]:
    """Folders to look for images in, most likely first."""
    if not params.source.is_dir():
        return [params.source.parent, params.images]
    source = lexically_absolute(params.source)
    guessed = [folder for folder in image_folders_for(params.source) if folder.is_dir()]
    # The walk comes to a guess within the source, unless it is a link: no link of the data is followed for a guess.
    beside = [folder for folder in guessed if not lexically_absolute(folder).is_relative_to(source)]
    return [params.source, *beside, params.images]


def _find_images(
    reading: Reading, finder: ImageFinder, file: Path | None
) -> tuple[dict[Path, AnnotatedImage], set[Path], list[Problem]]:
    """Each record's image and what is usable of the record; the images of records that cannot be used; the problems.

    `file` is the annotation file, or None where each record has its own, its `source`.
    """
    records: dict[Path, AnnotatedImage] = {}
    unused: set[Path] = set()
    problems: list[Problem] = []
    for record in reading.images:
        usable, faults = _drop_unusable_objects(record)
        path, fault = reading.find(finder, record, file)
        if fault is not None:
            faults.append(replace(fault, file=record.source))
        if path is None:
            faults += dropped_box_problems(usable, record.source, faults[-1].kind)
        elif path in records or path in unused:
            faults += _second_annotation(reading, usable, path, records.get(path))
        elif record.classes and not usable.classes:
            unused.add(path)
            detail = f"{relative_to_here(path)}: none of its {len(record.classes)} objects can be used"
            faults.append(Problem("image_left_empty", record.source, detail, "dropped_image"))
        else:
            sized, size_faults = _in_pixels(reading, usable, path)
            faults += size_faults
            if sized is None:
                unused.add(path)
            else:
                records[path] = sized
        problems += faults if path is None else [replace(fault, image=relative_to_here(path)) for fault in faults]
    return records, unused, problems


def _second_annotation(
    reading: Reading, record: AnnotatedImage, path: Path, first: AnnotatedImage | None
) -> list[Problem]:
    """The problems of another annotation of the image `path`, of which `first`, if usable, is the first one.

    With a copy in another folder nothing is lost: its boxes are not counted as dropped.
    """
    image, where = relative_to_here(path), first.source if first else "another annotation"
    if first and Path(first.source).name == Path(record.source).name and _is_copy(reading, record, path, first):
        detail = f"{image} is already annotated in {where}, with the same objects"
        return [Problem("image_annotated_twice", record.source, detail, "left_out")]
    detail = f"{image} is already annotated in {where}; {len(record.classes)} objects dropped"
    problem = Problem("image_annotated_twice", record.source, detail, "dropped_image")
    return [problem, *dropped_box_problems(record, record.source, "image_annotated_twice")]


def _is_copy(reading: Reading, record: AnnotatedImage, path: Path, first: AnnotatedImage) -> bool:
    sized, _ = _in_pixels(reading, record, path)
    return bool(sized and sized.classes == first.classes and np.array_equal(sized.boxes, first.boxes))


def _with_images(problems: Sequence[Problem], records: Mapping[Path, AnnotatedImage]) -> list[Problem]:
    """The reader's problems, each with its image where the annotation file belongs to one image alone.

    Images and boxes that a file from elsewhere gives its problems are dropped: the report would open and draw them.
    """
    images: defaultdict[str, list[Path]] = defaultdict(list)
    for path, record in records.items():
        images[record.source].append(path)
    candidates = [images.get(p.file) or images.get(p.file.rpartition(":")[0], []) for p in problems]
    return [
        replace(problem, image=relative_to_here(paths[0]) if len(paths) == 1 else "", box=None)
        for problem, paths in zip(problems, candidates, strict=True)
    ]


def _in_pixels(reading: Reading, record: AnnotatedImage, path: Path) -> tuple[AnnotatedImage | None, list[Problem]]:
    """The record in pixels; None and the problems where that takes the image's size and it cannot be read."""
    try:
        return reading.in_pixels(record, path), []
    except FormatError as error:
        detail = str(error).removeprefix(f"{path}: ")
        problem = Problem("unreadable_image", relative_to_here(path), detail, "dropped_image")
        return None, [problem, *dropped_box_problems(record, record.source, "unreadable_image")]


def _drop_unusable_objects(record: AnnotatedImage) -> tuple[AnnotatedImage, list[Problem]]:
    """Strip class names; drop objects without a name or a usable box (the reader has reported NaN boxes)."""
    classes = tuple(name.strip() for name in record.classes)
    readable = np.isfinite(record.boxes).all(axis=1)
    possible = np.all(np.abs(record.boxes) <= _MAX_COORDINATE_PX, axis=1)
    named = np.array([0 < len(name) <= _MAX_NAME_LENGTH for name in classes], dtype=bool)
    where = shortened(record.file_name) or "the image"
    problems: list[Problem] = []
    for i in np.flatnonzero(readable & ~(possible & named)):
        label = f"object {i + 1} in {where}, {record.boxes[i].tolist()}"
        if possible[i] and not classes[i]:
            box = corners(record.boxes[i]) if record.width else None
            detail = f"{label}: no class name"
            problems.append(Problem("empty_class_name", record.source, detail, "dropped_box", box=box))
        else:
            too_long = f"its class name has {len(classes[i])} characters; at most {_MAX_NAME_LENGTH} are allowed"
            detail = f"{label}: {too_long if possible[i] else 'numbers larger than any image'}"
            problems.append(Problem("unreadable_object", record.source, detail, "dropped_box"))
    return replace(record, classes=classes).keep(readable & possible & named), problems


def _dataset(records: dict[Path, AnnotatedImage], declared: Sequence[str], problems: Sequence[Problem]) -> Dataset:
    """Names that differ in their Unicode form alone are one class, written as declared, else as most often found."""
    root = Path(os.path.commonpath([path.parent for path in records]))
    images = [
        replace(record, file_name=path.relative_to(root).as_posix(), sha256=sha256_of(path))
        for path, record in tqdm(records.items(), desc="hashing", unit="image")
    ]
    named = [name.strip() for name in declared if name.strip()]
    found = Counter(name for image in images for name in image.classes)
    frequent = sorted(found, key=lambda name: (-found[name], name))
    spelling = {composed(name): name for name in reversed([*named, *frequent])}
    spelled = [replace(each, classes=tuple(spelling[composed(name)] for name in each.classes)) for each in images]
    return Dataset(
        root=Path(relative_to_here(root)),
        classes=tuple(dict.fromkeys(spelling[composed(name)] for name in [*named, *sorted(found, key=composed)])),
        images=tuple(sorted(spelled, key=lambda image: image.file_name)),
        problems=tuple(problems),
    )


def _with_given_splits(dataset: Dataset, params: "IngestParams", kind: str) -> Dataset:
    """The data set, read as the format `kind`, with the splits that its author put images in, where there are such."""
    source = params.source
    listed = splits_by_list(source) if source.is_dir() else {}
    paths = [dataset.image_path(image) for image in dataset.images]
    by_yaml, problems = splits_of_yolo(source, paths, [source, params.images]) if kind == "yolo" else ({}, [])
    images = tuple(
        replace(
            image,
            given_split=image.given_split
            or listed.get(composed(path.name), listed.get(composed(path.stem), ""))
            or by_yaml.get(path, "")
            or split_by_folder(Path(image.file_name), _below(source, Path(image.source))),
        )
        for image, path in zip(dataset.images, paths, strict=True)
    )
    return replace(dataset, images=images, problems=(*dataset.problems, *problems))


def _below(folder: Path, path: Path) -> Path:
    """`path` without the folders above `folder`: their names are not the data set's."""
    return path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)


def _no_image_left(params: "IngestParams", problems: Sequence[Problem]) -> str:
    if not problems:
        return f"{params.source}: no annotation of any image in it; set ingest.source to a file or folder that has some"
    lines = [
        f"{params.source}: no usable image; images were searched for there and below {params.images} (ingest.images):"
    ]
    lines += [f"  {p.file}: {p.detail} ({p.kind}): {remedy(p)}" for p in problems[:5]]
    lines += [f"  and {len(problems) - 5} more"] if len(problems) > 5 else []
    return "\n".join(lines)


def unwatched_folder(dataset: Dataset, params: "IngestParams") -> str:
    """The folder with the images that lie outside `ingest.source` and `ingest.images`; empty where none do.

    DVC watches these two only: it does not notice when an image elsewhere changes.
    """
    paths = [lexically_absolute(dataset.image_path(image)) for image in dataset.images]
    watched = [lexically_absolute(folder) for folder in (params.source, params.images)]
    folders = {path.parent for path in paths if not any(path.is_relative_to(folder) for folder in watched)}
    return relative_to_here(Path(os.path.commonpath(folders))) if folders else ""
