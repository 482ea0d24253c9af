"""What can be wrong with image files: each is decoded whole, and its size compared with its annotation's."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem
from tasks.dataset.problem_kinds import dropped_box_problems
from tasks.errors import DataError, FormatError
from tasks.gate.policy import Policy
from tasks.ground.files import sha256_of
from tasks.ground.process import usable_cores
from tasks.images.exif_frame import TURNED, to_stored
from tasks.images.image_file import COUNTED_FRAMES, FORMAT_OF_SUFFIX, ImageFacts, inspect_image


def inspect_images(dataset: Dataset, max_megapixels: float) -> list[ImageFacts | FormatError]:
    """For each image what its file is, or why it cannot be decoded.

    Raises:
        DataError: image files are missing, or changed since they were ingested.
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
            f"{len(changed)} images are missing or changed since they were ingested, such as {changed[0]}: "
            "run `dvc repro`, which ingests again (DVC itself notices changes below ingest.source and ingest.images)"
        )
    return [fact for fact in facts if fact is not None]


def check_images(
    dataset: Dataset, facts: Sequence[ImageFacts | FormatError], policy: Policy
) -> tuple[list[AnnotatedImage], list[Problem]]:
    """The images that decode and may stay, with their real sizes, and boxes in the pixels as stored."""
    images: list[AnnotatedImage] = []
    problems: list[Problem] = []
    for image, fact in zip(dataset.images, facts, strict=True):
        file = dataset.image_path(image).as_posix()
        if isinstance(fact, FormatError):
            faults = [Problem("unreadable_image", file, str(fact).removeprefix(f"{file}: "), "dropped_image")]
            stored = image
        else:
            stored, faults = _as_stored(image, fact, file)
        reason = next((p.kind for p in faults if policy.action(p.kind) == "drop"), None)
        if reason:
            problems += [replace(p, action="dropped_image") for p in faults if p.kind == reason]
            problems += dropped_box_problems(image, file, reason)
        else:
            problems += faults
            images.append(stored)
    return images, problems


def _as_stored(image: AnnotatedImage, fact: ImageFacts, file: str) -> tuple[AnnotatedImage, list[Problem]]:
    """The image with its real size, and boxes drawn on it as viewers rotate it rotated back; its problems."""
    boxes = image.boxes
    stored, annotated_size = f"{fact.width} x {fact.height}", (image.width, image.height)
    exchanged = annotated_size == (fact.height, fact.width) and fact.width != fact.height
    turned = exchanged and fact.exif_orientation in TURNED
    problems = []
    if turned:
        boxes = to_stored(boxes, fact.exif_orientation, width=fact.width, height=fact.height)
        detail = f"EXIF orientation {fact.exif_orientation}; its boxes fit the rotated image and were rotated back"
        problems.append(Problem("exif_rotated", file, detail, "fixed_image"))
    elif 0 in annotated_size:
        detail = f"{image.source} gives no size; the image is {stored}"
        problems.append(Problem("size_missing", file, detail, "fixed_image"))
    elif annotated_size != (fact.width, fact.height):
        detail = f"{image.source} gives {image.width} x {image.height}; the image is {stored}"
        detail += "; width and height are exchanged" * exchanged
        problems.append(Problem("size_mismatch", file, detail, "fixed_image"))
    if fact.exif_orientation != 1 and not turned:
        detail = f"EXIF orientation {fact.exif_orientation}; boxes are read as pixels of the {stored} image as stored"
        problems.append(Problem("exif_rotated", file, detail, "kept"))
    sized = replace(image, width=fact.width, height=fact.height, boxes=boxes, perceptual_hash=fact.perceptual_hash)
    return sized, [*problems, *_oddities(image, fact, file)]


def _oddities(image: AnnotatedImage, fact: ImageFacts, file: str) -> list[Problem]:
    """What is unusual about an image, but no reason to drop it."""
    problems = []
    if FORMAT_OF_SUFFIX.get(Path(file).suffix.lower()) != fact.format:
        problems.append(Problem("wrong_extension", file, f"its content is {fact.format}", "kept"))
    if fact.mode != "RGB":
        problems.append(Problem("not_rgb", file, f"its mode is {fact.mode}", "kept"))
    if fact.frames > 1:
        count = f"{fact.frames} or more" if fact.frames == COUNTED_FRAMES else fact.frames
        problems.append(Problem("animated_image", file, f"the first of its {count} frames is used", "kept"))
    if not image.classes:
        problems.append(Problem("no_objects", file, f"{image.source} lists no object", "kept"))
    return problems
