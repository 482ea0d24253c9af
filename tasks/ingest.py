"""Stage ingest: whatever format the annotations come in, one COCO JSON file goes on.

No pixel is decoded here; each image file's content is hashed, so that later stages notice when it changes. Every
record that could not be read, and every image without its other half, is listed in the file's `problems`.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from tasks.annotation.dataset import AnnotatedImage, Dataset, Problem
from tasks.annotation.problem_kinds import boxes_lost_with, dropped_images, object_name, remedy
from tasks.errors import DataError
from tasks.files import sha256_of
from tasks.formats.coco import read_coco, write_coco
from tasks.formats.csv import read_csv
from tasks.formats.given_parts import part_by_folder, parts_by_list
from tasks.formats.image_finder import ImageFinder, image_folders_for, lexically_absolute
from tasks.formats.pascal_voc import read_voc_folder, voc_files

if TYPE_CHECKING:
    from tasks.params import IngestParams

_EXPECTED = "expected a folder with Pascal VOC .xml files, one .csv file, or one COCO .json file"
_FORMAT_OF_SUFFIX = {".csv": "csv", ".json": "coco"}


def ingest(params: "IngestParams", *, ingested: Path) -> dict[str, Any]:
    """Read the annotations, find their images, write both as COCO JSON to `ingested`.

    Raises:
        DataError: `ingest.source` is not what a format expects, or no usable image is left.
    """
    kind = _format_of(params.source, params.format)
    records, problems = _read(params, kind)
    finder = ImageFinder(_places(params, kind))
    located, unused, faults = _locate(records, finder, None if kind == "voc" else params.source)
    problems += [*faults, *finder.problems]
    if not located:
        raise DataError(_nothing_left(params, problems))
    problems += [
        Problem("image_without_annotation", _relative(path), "no annotation speaks of it", "dropped_image")
        for path in finder.others([*located, *unused])
    ]
    dataset = _with_given_parts(_dataset(located, problems), params.source)
    _tell_if_unwatched(located, params)
    _write(dataset, ingested)
    return {
        "images": len(dataset.images),
        "boxes": sum(dataset.box_counts().values()),
        "classes": len(dataset.classes),
        "dropped_images": dropped_images(problems),
        "problems": len(problems),
    }


def _format_of(source: Path, wanted: str) -> str:
    """`voc`, `csv` or `coco`: by what `source` is, which must agree with what is wanted."""
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; set ingest.source: {_EXPECTED}")
    if source.is_dir():
        kind = "voc" if voc_files(source) else None
    else:
        kind = _FORMAT_OF_SUFFIX.get(source.suffix.lower())
        if kind is None and wanted in _FORMAT_OF_SUFFIX.values():
            kind = wanted
    if kind is None or wanted not in ("auto", kind):
        asked = "" if wanted == "auto" else f" (ingest.format is {wanted})"
        raise DataError(f"{source}: {_what_is_there(source)}{asked}; set ingest.source: {_EXPECTED}")
    return kind


def _what_is_there(source: Path) -> str:
    if source.is_file():
        return f"a {source.suffix or 'nameless kind of'} file"
    suffixes = Counter(path.suffix.lower() or "no suffix" for path in source.rglob("*") if path.is_file())
    if not suffixes:
        return "an empty folder"
    return "a folder with " + ", ".join(f"{count} {suffix}" for suffix, count in suffixes.most_common(5))


def _read(params: "IngestParams", kind: str) -> tuple[list[AnnotatedImage], list[Problem]]:
    if kind == "voc":
        return read_voc_folder(params.source)
    if kind == "csv":
        return read_csv(params.source, {str(ours): theirs for ours, theirs in params.columns.items()})
    dataset = read_coco(params.source)
    return list(dataset.images), [
        *dataset.problems,
        *(
            Problem(
                "unreadable_object",
                image.source,
                f"{object_name(i + 1, image.classes[i])} in {image.file_name}: {image.boxes[i].tolist()}",
                "dropped_box",
            )
            for image in dataset.images
            for i in np.flatnonzero(~np.isfinite(image.boxes).all(axis=1))
        ),
    ]


def _places(params: "IngestParams", kind: str) -> list[Path]:
    """Folders to look for images in, most likely first."""
    if kind != "voc":
        return [params.source.parent, params.images]
    mirrored = [folder for folder in image_folders_for(params.source) if folder.is_dir()]
    return [params.source, *mirrored, params.images]


def _locate(
    records: Sequence[AnnotatedImage], finder: ImageFinder, file: Path | None
) -> tuple[dict[Path, AnnotatedImage], set[Path], list[Problem]]:
    """Each record's image and what is usable of the record; the images of records that cannot be used; the problems.

    `file` is the annotation file, or None where each record has its own, its `source`.
    """
    located: dict[Path, AnnotatedImage] = {}
    unused: set[Path] = set()
    problems: list[Problem] = []
    for record in records:
        usable, faults = _usable(record)
        path, fault = finder.find(file or Path(record.source), record.file_name)
        if fault is not None:
            faults.append(replace(fault, file=record.source))
        if path is None:
            faults += boxes_lost_with(usable, record.source, faults[-1].kind)
        elif path in located or path in unused:
            first = located[path].source if path in located else "another annotation"
            detail = f"{_relative(path)} is annotated in {first} already; {len(usable.classes)} objects are left out"
            faults.append(Problem("image_annotated_twice", record.source, detail, "dropped_image"))
            faults += boxes_lost_with(usable, record.source, "image_annotated_twice")
        elif record.classes and not usable.classes:
            unused.add(path)
            detail = f"{_relative(path)}: none of its {len(record.classes)} objects can be used"
            faults.append(Problem("image_left_empty", record.source, detail, "dropped_image"))
        else:
            located[path] = usable
        problems += faults
    return located, unused, problems


def _usable(record: AnnotatedImage) -> tuple[AnnotatedImage, list[Problem]]:
    """Class names stripped, objects without a name or a readable box taken out (the reader has told of the latter)."""
    classes = tuple(name.strip() for name in record.classes)
    readable = np.isfinite(record.boxes).all(axis=1)
    named = np.array([bool(name) for name in classes], dtype=bool)
    problems = [
        Problem(
            "empty_class_name",
            record.source,
            f"object {i + 1} in {record.file_name or 'the image'}, {record.boxes[i].tolist()}: no class name",
            "dropped_box",
        )
        for i in np.flatnonzero(readable & ~named)
    ]
    return replace(record, classes=classes).keep(readable & named), problems


def _dataset(located: dict[Path, AnnotatedImage], problems: Sequence[Problem]) -> Dataset:
    root = Path(os.path.commonpath([path.parent for path in located]))
    images = [
        replace(record, file_name=path.relative_to(root).as_posix(), sha256=sha256_of(path))
        for path, record in tqdm(located.items(), desc="hashing", unit="image")
    ]
    return Dataset(
        root=Path(_relative(root)),
        classes=tuple(sorted({name for image in images for name in image.classes})),
        images=tuple(sorted(images, key=lambda image: image.file_name)),
        problems=tuple(problems),
    )


def _with_given_parts(dataset: Dataset, source: Path) -> Dataset:
    """The data set with the parts that its author put images in, where there are such."""
    listed = parts_by_list(source) if source.is_dir() else {}
    images = tuple(
        replace(
            image,
            given_part=image.given_part
            or listed.get(Path(image.file_name).stem, "")
            or part_by_folder(Path(image.file_name), _below(source, Path(image.source))),
        )
        for image in dataset.images
    )
    return replace(dataset, images=images)


def _below(folder: Path, path: Path) -> Path:
    """`path` without the folders above `folder`, which say nothing about the data set."""
    return path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)


def _write(dataset: Dataset, path: Path) -> None:
    try:
        write_coco(dataset, path)
    except UnicodeEncodeError as error:
        text, at = error.object, error.start
        name = text[text.rfind('"', 0, at) + 1 : text.find('"', at)]
        raise DataError(f"{name!r}: the name of a file, a folder or a class is not UTF-8; rename it") from error


def _nothing_left(params: "IngestParams", problems: Sequence[Problem]) -> str:
    lines = [
        f"{params.source}: no usable image; images are looked for there and below {params.images} (ingest.images):"
    ]
    lines += [f"  {p.file}: {p.detail} ({p.kind}): {remedy(p)}" for p in problems[:5]]
    lines += [f"  and {len(problems) - 5} more"] if len(problems) > 5 else []
    return "\n".join(lines)


def _tell_if_unwatched(paths: Iterable[Path], params: "IngestParams") -> None:
    watched = [lexically_absolute(folder) for folder in (params.source, params.images)]
    folders = {path.parent for path in paths if not any(path.is_relative_to(folder) for folder in watched)}
    if folders:
        common = _relative(Path(os.path.commonpath(folders)))
        print(f"note: images were found in {common}, which DVC does not watch: set ingest.images: {common}")


def _relative(path: Path) -> str:
    return Path(os.path.relpath(path)).as_posix()
