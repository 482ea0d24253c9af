"""Stage validate: the gate before any GPU time. Every image is decoded, every box checked, every fault counted.

`validate.on_problem` decides: `fix` mends what can be mended and drops the rest, `drop` drops every faulty box, `fail`
stops; `validate.policy` decides for single kinds of problems. What they mean stands in docs/data-gate.md.
"""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from tasks.gate.box_checks import BoxLimits, check_boxes
from tasks.dataset.boxes import corners
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem
from tasks.gate.dataset_checks import differing_copies, first_of, one_spelling, similar_names, xywh_by_mistake
from tasks.images.exif_frame import TURNED, to_stored
from tasks.gate.policy import Policy
from tasks.dataset.problem_kinds import boxes_lost_with, dropped_boxes, dropped_images, remedy
from tasks.gate.problem_table import problem_table
from tasks.errors import DataError, FormatError
from tasks.ground.files import sha256_of, write_json
from tasks.formats.coco import read_coco, write_coco
from tasks.images.image_file import FORMAT_OF_SUFFIX, ImageFacts, inspect_image
from tasks.ground.process import usable_cores
from tasks.ground.text import printable, tell

if TYPE_CHECKING:
    from tasks.params import ModelParams, ValidateParams

_SHOWN = 20


def validate(
    params: "ValidateParams", model: "ModelParams", *, ingested: Path, validated: Path, metrics_data: Path
) -> dict[str, Any]:
    """Check what `ingested` lists; write what passed to `validated` and the counts to `metrics_data`.

    Raises:
        ParamsError: `validate.policy` names a kind or an action that is none.
        DataError: an image changed since it was ingested, a problem for which the policy is to fail, more dropped than
            `max_dropped_fraction`, or nothing left.
    """
    policy = Policy(params.on_problem, params.policy)
    limits = BoxLimits(params.min_box_side_px, model.input_side_px)
    before = read_coco(ingested)
    facts = _inspect(before, params.max_image_megapixels)
    sized, problems = _check_images(before, facts, policy)
    named, variants = one_spelling(sized, before.root.as_posix(), policy)
    images, found = _check_data(before, named, policy, limits)
    spelled = replace(before, classes=_still_named(before.classes, sized, named))
    images, classes, rare = _without_rare_classes(spelled, images, params.min_boxes_per_class, policy)
    images, emptied = _without_emptied(before, images)
    after = Dataset(
        before.root, classes, tuple(images), (*before.problems, *problems, *variants, *found, *rare, *emptied)
    )
    figures = _figures(after)
    tell(problem_table(after.problems, policy))
    _refuse_problems(after.problems, policy)
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
    pool = ThreadPoolExecutor(max_workers=min(8, usable_cores()))
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


def _check_images(
    dataset: Dataset, facts: Sequence[ImageFacts | FormatError], policy: Policy
) -> tuple[list[AnnotatedImage], list[Problem]]:
    """The images that decode and may stay, with their real sizes, and boxes in the pixels as stored."""
    images: list[AnnotatedImage] = []
    problems: list[Problem] = []
    for image, fact in zip(dataset.images, facts, strict=True):
        file = dataset.image_path(image).as_posix()
        if isinstance(fact, FormatError):
            found = [Problem("unreadable_image", file, str(fact).removeprefix(f"{file}: "), "dropped_image")]
            stored = image
        else:
            stored, found = _as_stored(image, fact, file)
        reason = next((p.kind for p in found if policy.action(p.kind) == "drop"), None)
        if reason:
            problems += [replace(p, action="dropped_image") for p in found if p.kind == reason]
            problems += boxes_lost_with(image, file, reason)
        else:
            problems += found
            images.append(stored)
    return images, problems


def _as_stored(image: AnnotatedImage, fact: ImageFacts, file: str) -> tuple[AnnotatedImage, list[Problem]]:
    """The image with its real size, boxes drawn on it as viewers turn it brought back; what was odd about it."""
    boxes = image.boxes
    stored, said = f"{fact.width} x {fact.height}", (image.width, image.height)
    exchanged = said == (fact.height, fact.width) and fact.width != fact.height
    turned = exchanged and fact.exif_orientation in TURNED
    problems = []
    if turned:
        boxes = to_stored(boxes, fact.exif_orientation, width=fact.width, height=fact.height)
        detail = f"EXIF orientation {fact.exif_orientation}; its boxes are of the turned image, and were turned back"
        problems.append(Problem("exif_rotated", file, detail, "fixed_image"))
    elif 0 in said:
        problems.append(Problem("size_missing", file, f"{image.source} gives no size; it is {stored}", "fixed_image"))
    elif said != (fact.width, fact.height):
        detail = f"{image.source} says {image.width} x {image.height}; it is {stored}"
        problems.append(
            Problem("size_mismatch", file, detail + ("; width and height are exchanged" * exchanged), "fixed_image")
        )
    if fact.exif_orientation != 1 and not turned:
        detail = f"EXIF orientation {fact.exif_orientation}; boxes are taken to mean the {stored} pixels as stored"
        problems.append(Problem("exif_rotated", file, detail, "kept"))
    sized = replace(image, width=fact.width, height=fact.height, boxes=boxes, perceptual_hash=fact.perceptual_hash)
    return sized, [*problems, *_oddities(image, fact, file)]


def _oddities(image: AnnotatedImage, fact: ImageFacts, file: str) -> list[Problem]:
    """What is unusual about an image, and no reason not to use it."""
    problems = []
    if FORMAT_OF_SUFFIX.get(Path(file).suffix.lower()) != fact.format:
        problems.append(Problem("wrong_extension", file, f"its content is {fact.format}", "kept"))
    if fact.mode != "RGB":
        problems.append(Problem("not_rgb", file, f"its mode is {fact.mode}", "kept"))
    if fact.frames > 1:
        problems.append(Problem("animated_image", file, f"the first of its {fact.frames} frames is taken", "kept"))
    if not image.classes:
        problems.append(Problem("no_objects", file, f"{image.source} lists no object", "kept"))
    return problems


def _check_data(
    dataset: Dataset, images: Sequence[AnnotatedImage], policy: Policy, limits: BoxLimits
) -> tuple[list[AnnotatedImage], list[Problem]]:
    """The images with the boxes that may stay; what was found in single boxes, and in the data as a whole."""
    root = dataset.root.as_posix()
    problems = [*xywh_by_mistake(images, root), *similar_names(images, root), *differing_copies(images, root)]
    checked = [check_boxes(image, dataset.image_path(image).as_posix(), policy, limits) for image in images]
    return [one.image for one in checked], [*problems, *(problem for one in checked for problem in one.problems)]


def _still_named(
    classes: Sequence[str], before: Sequence[AnnotatedImage], after: Sequence[AnnotatedImage]
) -> tuple[str, ...]:
    """The classes without those whose boxes all got another spelling."""
    had, have = ({name for image in images for name in image.classes} for images in (before, after))
    return tuple(name for name in classes if name not in had - have)


def _without_rare_classes(
    dataset: Dataset, images: Sequence[AnnotatedImage], min_boxes: int, policy: Policy
) -> tuple[list[AnnotatedImage], tuple[str, ...], list[Problem]]:
    """The images without boxes of rare classes, the classes that stay, and a problem for each box dropped here."""
    counts = replace(dataset, images=tuple(images)).box_counts()
    keep_rare = policy.action("rare_class") == "keep"
    classes = tuple(name for name in dataset.classes if counts[name] >= (1 if keep_rare else min_boxes))
    problems = [
        Problem(
            "rare_class", dataset.root.as_posix(), f"class {printable(name)} has no usable box left", "dropped_class"
        )
        for name in dataset.classes
        if counts[name] == 0
    ]
    problems += [
        Problem(
            "rare_class",
            dataset.root.as_posix(),
            f"class {printable(name)} has {counts[name]} boxes only",
            "kept",
            *first_of(name, images, dataset.root.as_posix()),
        )
        for name in classes
        if counts[name] < min_boxes
    ]
    kept: list[AnnotatedImage] = []
    for image in images:
        mask = np.array([name in classes for name in image.classes], dtype=bool)
        for i in np.flatnonzero(~mask):
            name = image.classes[i]
            detail = (
                f"class {printable(name)} has {counts[name]} of the {min_boxes} boxes that it needs: it is not learned"
            )
            box = corners(image.boxes[i])
            problems.append(Problem("rare_class", dataset.image_path(image).as_posix(), detail, "dropped_box", box=box))
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
        "difficult": int(sum(image.difficult.sum() for image in dataset.images)),
        "iscrowd": int(sum(image.iscrowd.sum() for image in dataset.images)),
        "problems": dict(Counter(problem.kind for problem in dataset.problems)),
        "classes": dict(counts),
    }


def _refuse_problems(problems: Sequence[Problem], policy: Policy) -> None:
    grave = [problem for problem in problems if policy.stops(problem.kind)]
    if not grave:
        return
    usual = policy.on_problem == "fail" and not policy.single
    why = "validate.on_problem is fail" if usual else "validate.policy is to fail for them"
    lines = [f"{len(grave)} problems, and {why}: {_counted(grave)}"]
    lines += [printable(f"  {p.file}: {p.detail} ({p.kind}): {remedy(p)}") for p in grave[:_SHOWN]]
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
        worst = [p for p in dataset.problems if p.action == action]
        raise DataError(
            f"{lost} of {stayed + lost} {what} were dropped: {_counted(worst)}; at least one must stay, and "
            f"validate.max_dropped_fraction allows no more than {params.max_dropped_fraction:g} of them to go. "
            "Mend the data (docs/data-gate.md says how), or raise validate.max_dropped_fraction"
        )


def _counted(problems: Sequence[Problem]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in Counter(p.kind for p in problems).most_common(5)) or "none"
