"""Stage validate: the gate before any GPU time. Every image is decoded, every box checked, every fault counted.

`validate.on_problem` decides: `fix` mends what can be mended and drops the rest, `drop` drops every faulty box, `fail`
stops. What a kind of problem means stands in docs/data-gate.md.
"""

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from tasks.annotation.box_checks import check_boxes
from tasks.annotation.dataset import AnnotatedImage, Dataset, Problem
from tasks.annotation.problem_kinds import boxes_lost_with, dropped_boxes, dropped_images, remedy
from tasks.errors import DataError, FormatError
from tasks.files import sha256_of, write_json
from tasks.formats.coco import read_coco, write_coco
from tasks.formats.image_file import FORMAT_OF_SUFFIX, ImageFacts, inspect_image

if TYPE_CHECKING:
    from tasks.params import ValidateParams

# Faults of the files around the data, not of the data: `fail` lets them pass.
_HARMLESS = frozenset({"size_missing", "image_without_annotation"})
_SHOWN = 20


def validate(params: "ValidateParams", *, ingested: Path, validated: Path, metrics_data: Path) -> dict[str, Any]:
    """Check what `ingested` lists; write what passed to `validated` and the counts to `metrics_data`.

    Raises:
        DataError: an image changed since it was ingested, a problem under the policy `fail`, more dropped than
            `max_dropped_fraction`, or nothing left.
    """
    before = read_coco(ingested)
    facts = _inspect(before, params.max_image_megapixels)
    images, problems = _check(before, facts, params)
    images, classes, faults = _without_rare_classes(before, images, params.min_boxes_per_class)
    images, emptied = _without_emptied(before, images)
    after = Dataset(before.root, classes, tuple(images), (*before.problems, *problems, *faults, *emptied))
    figures = _figures(after)
    _print_table(after.problems)
    _refuse_problems(after.problems, params)
    _refuse_large_losses(after, params)
    write_coco(after, validated)
    write_json(metrics_data, figures)
    return {key: figures[key] for key in ("images", "boxes", "dropped_images", "dropped_boxes", "fixed_boxes")}


def _inspect(dataset: Dataset, max_megapixels: float) -> list[ImageFacts | FormatError]:
    """For each image what its file is, or why it cannot be decoded.

    Raises:
        DataError: image files are gone, or are not the ones that were ingested.
    """

    def inspect(image: AnnotatedImage) -> ImageFacts | FormatError | None:
        path = dataset.image_path(image)
        if not path.is_file() or (image.sha256 and sha256_of(path) != image.sha256):
            return None
        try:
            return inspect_image(path, max_megapixels=max_megapixels)
        except FormatError as error:
            return error

    # Pillow decodes without holding the interpreter's lock; each thread holds one decoded image at a time.
    pool = ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1))
    try:
        results = pool.map(inspect, dataset.images)
        facts = list(tqdm(results, desc="decoding", unit="image", total=len(dataset.images)))
    finally:
        pool.shutdown(cancel_futures=True)
    changed = [
        dataset.image_path(image).as_posix() for image, fact in zip(dataset.images, facts, strict=True) if fact is None
    ]
    if changed:
        raise DataError(
            f"{len(changed)} images changed or went away since they were ingested, such as {changed[0]}: "
            "run `dvc repro`, which ingests again (DVC notices changes by itself below ingest.source and ingest.images)"
        )
    return [fact for fact in facts if fact is not None]


def _check(
    dataset: Dataset, facts: Sequence[ImageFacts | FormatError], params: "ValidateParams"
) -> tuple[list[AnnotatedImage], list[Problem]]:
    """The images that decode, with their real sizes and the boxes that passed."""
    images: list[AnnotatedImage] = []
    problems: list[Problem] = []
    for image, fact in zip(dataset.images, facts, strict=True):
        file = dataset.image_path(image).as_posix()
        if isinstance(fact, FormatError):
            problems.append(Problem("unreadable_image", file, str(fact).removeprefix(f"{file}: "), "dropped_image"))
            problems += boxes_lost_with(image, file, "unreadable_image")
            continue
        problems += _image_problems(image, fact, file)
        sized = replace(image, width=fact.width, height=fact.height, perceptual_hash=fact.perceptual_hash)
        checked = check_boxes(sized, file, fix=params.on_problem != "drop", min_side_px=params.min_box_side_px)
        problems += checked.problems
        images.append(checked.image)
    return images, problems


def _image_problems(image: AnnotatedImage, fact: ImageFacts, file: str) -> list[Problem]:
    problems = []
    stored = f"{fact.width} x {fact.height}"
    if 0 in (image.width, image.height):
        problems.append(Problem("size_missing", file, f"{image.source} gives no size; it is {stored}", "fixed_image"))
    elif (image.width, image.height) != (fact.width, fact.height):
        detail = f"{image.source} says {image.width} x {image.height}; it is {stored}"
        problems.append(Problem("size_mismatch", file, detail, "fixed_image"))
    if FORMAT_OF_SUFFIX.get(Path(file).suffix.lower()) != fact.format:
        problems.append(Problem("wrong_extension", file, f"its content is {fact.format}", "kept"))
    if fact.mode != "RGB":
        problems.append(Problem("not_rgb", file, f"its mode is {fact.mode}", "kept"))
    if fact.exif_orientation != 1:
        detail = f"EXIF orientation {fact.exif_orientation}; boxes are taken to mean the {stored} pixels as stored"
        problems.append(Problem("exif_rotated", file, detail, "kept"))
    if not image.classes:
        problems.append(Problem("no_objects", file, f"{image.source} lists no object", "kept"))
    return problems


def _without_rare_classes(
    dataset: Dataset, images: Sequence[AnnotatedImage], min_boxes: int
) -> tuple[list[AnnotatedImage], tuple[str, ...], list[Problem]]:
    """The images without boxes of rare classes, the classes that stay, and a problem for each box dropped here."""
    counts = replace(dataset, images=tuple(images)).box_counts()
    classes = tuple(name for name in dataset.classes if counts[name] >= min_boxes)
    problems = [
        Problem("rare_class", dataset.root.as_posix(), f"class {name} has no usable box left", "dropped_class")
        for name in dataset.classes
        if counts[name] == 0
    ]
    kept: list[AnnotatedImage] = []
    for image in images:
        mask = np.array([name in classes for name in image.classes], dtype=bool)
        for name in (image.classes[i] for i in np.flatnonzero(~mask)):
            detail = f"class {name} has {counts[name]} of the {min_boxes} boxes that it needs: it is not learned"
            problems.append(Problem("rare_class", dataset.image_path(image).as_posix(), detail, "dropped_box"))
        kept.append(image.keep(mask))
    return kept, classes, problems


def _without_emptied(dataset: Dataset, images: Sequence[AnnotatedImage]) -> tuple[list[AnnotatedImage], list[Problem]]:
    """Without the images that had objects and lost all: as background they would teach that nothing is there."""
    had_objects = {image.file_name for image in dataset.images if image.classes}
    emptied = [image for image in images if not image.classes and image.file_name in had_objects]
    problems = [
        Problem(
            "image_left_empty", dataset.image_path(image).as_posix(), "all of its objects were dropped", "dropped_image"
        )
        for image in emptied
    ]
    gone = {image.file_name for image in emptied}
    return [image for image in images if image.file_name not in gone], problems


def _figures(dataset: Dataset) -> dict[str, Any]:
    counts = dataset.box_counts()
    return {
        "images": len(dataset.images),
        "boxes": sum(counts.values()),
        "dropped_images": dropped_images(dataset.problems),
        "dropped_boxes": dropped_boxes(dataset.problems),
        "fixed_boxes": sum(problem.action == "fixed_box" for problem in dataset.problems),
        "problems": dict(Counter(problem.kind for problem in dataset.problems)),
        "classes": dict(counts),
    }


def _print_table(problems: Sequence[Problem]) -> None:
    rows = Counter((problem.kind, problem.action) for problem in problems)
    print(f"{'problem':<26}{'count':>7}  action" if rows else "no problems found")
    for (kind, action), count in sorted(rows.items()):
        print(f"{kind:<26}{count:>7}  {action}")


def _refuse_problems(problems: Sequence[Problem], params: "ValidateParams") -> None:
    grave = [problem for problem in problems if problem.action != "kept" and problem.kind not in _HARMLESS]
    if params.on_problem != "fail" or not grave:
        return
    lines = [f"{len(grave)} problems, and validate.on_problem is fail: {_counted(grave)}"]
    lines += [f"  {p.file}: {p.detail} ({p.kind}): {remedy(p)}" for p in grave[:_SHOWN]]
    lines += [f"  and {len(grave) - _SHOWN} more"] if len(grave) > _SHOWN else []
    raise DataError("\n".join(lines))


def _refuse_large_losses(dataset: Dataset, params: "ValidateParams") -> None:
    counts = {
        "images": (len(dataset.images), dropped_images(dataset.problems), "dropped_image"),
        "boxes": (sum(len(image.classes) for image in dataset.images), dropped_boxes(dataset.problems), "dropped_box"),
    }
    for what, (stayed, lost, action) in counts.items():
        if stayed and lost <= params.max_dropped_fraction * (stayed + lost):
            continue
        worst = [p for p in dataset.problems if p.action == action and p.kind not in _HARMLESS]
        raise DataError(
            f"{lost} of {stayed + lost} {what} were dropped: {_counted(worst)}; at least one must stay, and "
            f"validate.max_dropped_fraction allows no more than {params.max_dropped_fraction:g} of them to go. "
            "Mend the data (docs/data-gate.md says how), or raise validate.max_dropped_fraction"
        )


def _counted(problems: Sequence[Problem]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in Counter(p.kind for p in problems).most_common(5)) or "none"
