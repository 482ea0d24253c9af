"""Annotations together with the images they are about, whatever the format.

No pixel is decoded: where a format gives boxes as fractions of the image's size, the image's header is read. Every
record that could not be read, and every image without annotation, is a `Problem`.
"""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from tasks.dataset.boxes import corners
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem
from tasks.dataset.problem_kinds import boxes_lost_with, remedy
from tasks.errors import DataError, FormatError
from tasks.formats.given_splits import split_by_folder, splits_by_list
from tasks.formats.reading import Reading, read_annotations
from tasks.ground.files import sha256_of
from tasks.ground.text import shortened
from tasks.images.image_finder import ImageFinder, image_folders_for, lexically_absolute

if TYPE_CHECKING:
    from tasks.params import IngestParams

# Beyond it sums and areas of coordinates lose pixels, and far beyond become infinite.
_MAX_COORDINATE_PX = 1e9


# More than that is no name, and would stand in every table.
_LONGEST_NAME = 500


def gather(params: "IngestParams") -> Dataset:
    """What the annotations say, with the images they speak of; the classes in the source's order, where it has one.

    Raises:
        DataError: as `ingest`.
    """
    reading = read_annotations(params.source, params.format, {str(ours): name for ours, name in params.columns.items()})
    finder = ImageFinder(_places(params))
    located, unused, faults = _locate(reading, finder, None if params.source.is_dir() else params.source)
    problems = [*_with_images(reading.problems, located), *faults, *finder.problems]
    if not located:
        raise DataError(_nothing_left(params, problems))
    problems += [
        Problem(
            "image_without_annotation",
            relative_to_here(path),
            "no annotation speaks of it",
            "left_out",
            relative_to_here(path),
        )
        for path in finder.others([*located, *unused])
    ]
    return _with_given_splits(_dataset(located, reading.classes, problems), params.source)


def _places(params: "IngestParams") -> list[Path]:
    """Folders to look for images in, most likely first."""
    if not params.source.is_dir():
        return [params.source.parent, params.images]
    source = lexically_absolute(params.source)
    guessed = [folder for folder in image_folders_for(params.source) if folder.is_dir()]
    # The walk comes to a guess within the source, unless it is a link: no link of the data is followed for a guess.
    beside = [folder for folder in guessed if not lexically_absolute(folder).is_relative_to(source)]
    return [params.source, *beside, params.images]


def _locate(
    reading: Reading, finder: ImageFinder, file: Path | None
) -> tuple[dict[Path, AnnotatedImage], set[Path], list[Problem]]:
    """Each record's image and what is usable of the record; the images of records that cannot be used; the problems.

    `file` is the annotation file, or None where each record has its own, its `source`.
    """
    located: dict[Path, AnnotatedImage] = {}
    unused: set[Path] = set()
    problems: list[Problem] = []
    for record in reading.images:
        usable, faults = _usable(record)
        path, fault = reading.find(finder, record, file)
        if fault is not None:
            faults.append(replace(fault, file=record.source))
        if path is None:
            faults += boxes_lost_with(usable, record.source, faults[-1].kind)
        elif path in located or path in unused:
            first = located[path].source if path in located else "another annotation"
            detail = (
                f"{relative_to_here(path)} is annotated in {first} already; {len(usable.classes)} objects are left out"
            )
            faults.append(Problem("image_annotated_twice", record.source, detail, "dropped_image"))
            faults += boxes_lost_with(usable, record.source, "image_annotated_twice")
        elif record.classes and not usable.classes:
            unused.add(path)
            detail = f"{relative_to_here(path)}: none of its {len(record.classes)} objects can be used"
            faults.append(Problem("image_left_empty", record.source, detail, "dropped_image"))
        else:
            sized, lost = _in_pixels(reading, usable, path)
            faults += lost
            if sized is None:
                unused.add(path)
            else:
                located[path] = sized
        problems += faults if path is None else [replace(fault, image=relative_to_here(path)) for fault in faults]
    return located, unused, problems


def _with_images(problems: Sequence[Problem], located: Mapping[Path, AnnotatedImage]) -> list[Problem]:
    """What the reader complained of, each with its image where one image alone has that annotation file.

    Images and boxes that a file from elsewhere gives its problems are not believed: the report opens and draws them.
    """
    images: defaultdict[str, list[Path]] = defaultdict(list)
    for path, record in located.items():
        images[record.source].append(path)
    found = [images.get(p.file) or images.get(p.file.rpartition(":")[0], []) for p in problems]
    return [
        replace(problem, image=relative_to_here(paths[0]) if len(paths) == 1 else "", box=None)
        for problem, paths in zip(problems, found, strict=True)
    ]


def _in_pixels(reading: Reading, record: AnnotatedImage, path: Path) -> tuple[AnnotatedImage | None, list[Problem]]:
    """The record in pixels; None, and what is lost, where that takes the image's size and it cannot be read."""
    try:
        return reading.in_pixels(record, path), []
    except FormatError as error:
        detail = str(error).removeprefix(f"{path}: ")
        problem = Problem("unreadable_image", relative_to_here(path), detail, "dropped_image")
        return None, [problem, *boxes_lost_with(record, record.source, "unreadable_image")]


def _usable(record: AnnotatedImage) -> tuple[AnnotatedImage, list[Problem]]:
    """Class names stripped, objects without a name or a readable box taken out (the reader has told of NaN boxes)."""
    classes = tuple(name.strip() for name in record.classes)
    readable = np.isfinite(record.boxes).all(axis=1)
    possible = (np.abs(record.boxes) <= _MAX_COORDINATE_PX).all(axis=1)
    named = np.array([0 < len(name) <= _LONGEST_NAME for name in classes], dtype=bool)
    where = shortened(record.file_name) or "the image"
    problems: list[Problem] = []
    for i in np.flatnonzero(readable & ~(possible & named)):
        said = f"object {i + 1} in {where}, {record.boxes[i].tolist()}"
        if possible[i] and not classes[i]:
            box = corners(record.boxes[i]) if record.width else None
            detail = f"{said}: no class name"
            problems.append(Problem("empty_class_name", record.source, detail, "dropped_box", box=box))
        else:
            too_long = f"its class name has {len(classes[i])} characters, and at most {_LONGEST_NAME} may be"
            detail = f"{said}: {too_long if possible[i] else 'larger numbers than any image has'}"
            problems.append(Problem("unreadable_object", record.source, detail, "dropped_box"))
    return replace(record, classes=classes).keep(readable & possible & named), problems


def _dataset(located: dict[Path, AnnotatedImage], declared: Sequence[str], problems: Sequence[Problem]) -> Dataset:
    root = Path(os.path.commonpath([path.parent for path in located]))
    images = [
        replace(record, file_name=path.relative_to(root).as_posix(), sha256=sha256_of(path))
        for path, record in tqdm(located.items(), desc="hashing", unit="image")
    ]
    named = [name.strip() for name in declared if name.strip()]
    return Dataset(
        root=Path(relative_to_here(root)),
        classes=tuple(dict.fromkeys([*named, *sorted({name for image in images for name in image.classes})])),
        images=tuple(sorted(images, key=lambda image: image.file_name)),
        problems=tuple(problems),
    )


def _with_given_splits(dataset: Dataset, source: Path) -> Dataset:
    """The data set with the parts that its author put images in, where there are such."""
    listed = splits_by_list(source) if source.is_dir() else {}
    images = tuple(
        replace(
            image,
            given_split=image.given_split
            or listed.get(Path(image.file_name).stem, "")
            or split_by_folder(Path(image.file_name), _below(source, Path(image.source))),
        )
        for image in dataset.images
    )
    return replace(dataset, images=images)


def _below(folder: Path, path: Path) -> Path:
    """`path` without the folders above `folder`, which say nothing about the data set."""
    return path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)


def _nothing_left(params: "IngestParams", problems: Sequence[Problem]) -> str:
    if not problems:
        return f"{params.source}: holds no annotation of any image; set ingest.source to one that does"
    lines = [
        f"{params.source}: no usable image; images are looked for there and below {params.images} (ingest.images):"
    ]
    lines += [f"  {p.file}: {p.detail} ({p.kind}): {remedy(p)}" for p in problems[:5]]
    lines += [f"  and {len(problems) - 5} more"] if len(problems) > 5 else []
    return "\n".join(lines)


def relative_to_here(path: Path) -> str:
    """`path` as it is written in files: relative to the working directory, with forward slashes."""
    return Path(os.path.relpath(path)).as_posix()
