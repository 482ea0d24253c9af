"""`python -m tasks convert`: annotations in one format, read as `ingest` reads them, written in another.

Images stay where they are. What was wrong with the source, and what the other format cannot hold, is printed with its
count; nothing is lost in silence.
"""

import argparse
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tasks.dataset.boxes import clip
from tasks.dataset.coco_json import write_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem
from tasks.dataset.problem_kinds import boxes_lost_with, remedy
from tasks.errors import DataError, FormatError
from tasks.formats.csv import write_csv
from tasks.formats.gather import gather
from tasks.formats.given_splits import split_by_folder
from tasks.formats.pascal_voc import write_voc_folder
from tasks.formats.reading import format_of
from tasks.formats.yolo import write_yolo
from tasks.ground.text import shortened, tell
from tasks.images.image_file import stored_size
from tasks.params import IngestParams

_WRITERS: dict[str, Callable[[Dataset, Path], None]] = {
    "voc": write_voc_folder,
    "csv": write_csv,
    "coco": write_coco,
    "yolo": write_yolo,
}
_FOLDERS = ("voc", "yolo")


class _Loss(NamedTuple):
    """Something that some formats do not hold: which, how much of it a data set has, and what becomes of it."""

    formats: tuple[str, ...]
    count: Callable[[Dataset], int]
    said: str


def convert(args: argparse.Namespace) -> None:
    """Write `args.source` to `args.out` in the format `args.to`, and print what was read, dropped and lost.

    Raises:
        DataError: the source cannot be read, no image is left, the format cannot hold a name, or `args.out` has content
            already or lies in the source.
    """
    _check_target(args)
    images = args.images or (args.source if args.source.is_dir() else args.source.parent)
    kind = format_of(args.source, args.format)
    before = gather(IngestParams(source=args.source, images=images, format=kind, columns={}))
    tell(f"{args.source}: {kind}, {_figures(before)}")
    after = _with_stored_sizes(before)
    _tell_problems(after.problems)
    if not after.images:
        raise DataError(f"{args.source}: no image is left; nothing was written")
    _write(replace(after, problems=()), args)
    for line in losses(after, args.to):
        tell(line)
    tell(f"{args.out}: {args.to}, {_figures(after)}")
    tell(f"the images are in {after.root.as_posix()}" + (", copies in images/" if args.copy_images else ""))


def losses(dataset: Dataset, to: str) -> list[str]:
    """One line, with its count, for each thing in `dataset` that the format `to` does not hold."""
    counts = [(loss.count(dataset), loss.said) for loss in _LOSSES if to in loss.formats]
    return [f"not held by {to}: {said.format(count)}" for count, said in counts if count]


def _check_target(args: argparse.Namespace) -> None:
    out = Path(os.path.realpath(args.out))
    if out.is_dir() and (args.to not in _FOLDERS or any(out.iterdir())):
        what = "it is a folder with files in it" if args.to in _FOLDERS else f"{args.to} is one file, this is a folder"
        raise DataError(f"{args.out}: {what}; name another OUT: nothing is overwritten")
    if out.exists() and not out.is_dir() and (args.to in _FOLDERS or out.stat().st_size):
        raise DataError(f"{args.out}: a file is there already; name another OUT: nothing is overwritten")
    source = Path(os.path.realpath(args.source))
    if out == source or (source.is_dir() and out.is_relative_to(source)):
        raise DataError(f"{args.out} lies in {args.source}, and would be read as part of it; name an OUT beside it")
    if args.copy_images and args.to != "yolo":
        raise DataError(f"--copy-images: only for YOLO, whose images must lie beside its labels; not for {args.to}")


def _with_stored_sizes(dataset: Dataset) -> Dataset:
    """With the size that each image file has: YOLO's fractions are of it. Images without one are left out."""
    images: list[AnnotatedImage] = []
    problems: list[Problem] = []
    for image in dataset.images:
        path = dataset.image_path(image)
        try:
            width, height = stored_size(path)
        except FormatError as error:
            file = path.as_posix()
            problems.append(Problem("unreadable_image", file, str(error).removeprefix(f"{file}: "), "dropped_image"))
            problems += boxes_lost_with(image, file, "unreadable_image")
            continue
        if (image.width, image.height) not in ((0, 0), (width, height)):
            detail = f"{image.source} says {image.width} x {image.height}; it is {width} x {height}"
            problems.append(Problem("size_mismatch", path.as_posix(), detail, "fixed_image"))
        images.append(replace(image, width=width, height=height))
    return replace(dataset, images=tuple(images), problems=(*dataset.problems, *problems))


def _tell_problems(problems: Sequence[Problem]) -> None:
    counts = Counter((problem.kind, problem.action) for problem in problems)
    first = {(problem.kind, problem.action): problem for problem in reversed(problems)}
    for (kind, action), count in counts.items():
        example = first[kind, action]
        said = shortened(f"{example.file}: {example.detail}", 500)
        tell(f"{kind}: {count} ({action}), such as {said}: {remedy(example)}")


def _write(dataset: Dataset, args: argparse.Namespace) -> None:
    try:
        if args.copy_images:
            write_yolo(dataset, args.out, copy_images=True)
        else:
            _WRITERS[args.to](dataset, args.out)
    except UnicodeEncodeError as error:
        raise DataError(f"{error.object[:200]!r}: the name of a file or a class is not UTF-8; rename it") from error
    except OSError as error:
        raise DataError(f"{args.out}: cannot be written: {error.strerror}") from error


def _figures(dataset: Dataset) -> str:
    boxes = sum(dataset.box_counts().values())
    return f"{len(dataset.images)} images, {boxes} boxes, {len(dataset.classes)} classes"


def _crowds(dataset: Dataset) -> int:
    return sum(int(image.iscrowd.sum()) for image in dataset.images)


def _difficult(dataset: Dataset) -> int:
    return sum(int(image.difficult.sum()) for image in dataset.images)


def _unused_classes(dataset: Dataset) -> int:
    return sum(count == 0 for count in dataset.box_counts().values())


def _ordered_classes(dataset: Dataset) -> int:
    return len(dataset.classes) if list(dataset.classes) != sorted(dataset.classes) else 0


def _finer_than_a_millionth(dataset: Dataset) -> int:
    return sum(int((np.round(image.boxes, 6) != image.boxes).any(axis=1).sum()) for image in dataset.images)


def _leaving_the_image(dataset: Dataset) -> int:
    clipped = [clip(image.boxes, width=image.width, height=image.height) for image in dataset.images]
    return sum(
        int((inside != image.boxes).any(axis=1).sum()) for inside, image in zip(clipped, dataset.images, strict=True)
    )


def _backgrounds(dataset: Dataset) -> int:
    return sum(not image.classes for image in dataset.images)


def _divided(dataset: Dataset) -> int:
    return sum(split_by_folder(Path(image.file_name)) != image.given_split for image in dataset.images)


_LOSSES = (
    _Loss(("voc", "csv", "yolo"), _crowds, "iscrowd of {} boxes, which are written as ordinary ones"),
    _Loss(("csv", "yolo"), _difficult, "difficult of {} boxes, which are written as ordinary ones"),
    _Loss(("voc", "yolo"), _divided, "the author's part of {} images, which their folders do not tell"),
    _Loss(("voc", "csv"), _unused_classes, "{} classes without a box"),
    _Loss(("voc", "csv"), _ordered_classes, "the order of the {} classes: readers sort them by name"),
    _Loss(("coco", "yolo"), _finer_than_a_millionth, "corners of {} boxes beyond a millionth of a pixel"),
    _Loss(
        ("yolo",), _leaving_the_image, "that {} boxes leave their image: they are written, but many readers refuse them"
    ),
    _Loss(("csv",), _backgrounds, "{} images without objects, but as rows with empty cells, which few readers know"),
)
