"""Classes with too few boxes to be learned, and images whose boxes were all dropped."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tasks.dataset.boxes import corners
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem
from tasks.gate.dataset_checks import first_examples
from tasks.gate.policy import Policy
from tasks.ground.text import printable


def remaining_classes(
    classes: Sequence[str], before: Sequence[AnnotatedImage], after: Sequence[AnnotatedImage]
) -> tuple[str, ...]:
    """`classes` without those whose boxes were all renamed to another spelling."""
    classes_before, classes_after = ({name for image in images for name in image.classes} for images in (before, after))
    renamed = classes_before - classes_after
    return tuple(name for name in classes if name not in renamed)


def drop_rare_classes(
    dataset: Dataset, images: Sequence[AnnotatedImage], min_boxes: int, policy: Policy
) -> tuple[list[AnnotatedImage], tuple[str, ...], list[Problem]]:
    """The images without boxes of rare classes, the classes that stay, and a problem for each box dropped here."""
    counts = replace(dataset, images=tuple(images)).box_counts()
    examples = first_examples(images, dataset.root.as_posix())
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
            f"class {printable(name)} has only {counts[name]} boxes",
            "kept",
            *examples[name],
        )
        for name in classes
        if counts[name] < min_boxes
    ]
    kept: list[AnnotatedImage] = []
    kept_names = set(classes)
    for image in images:
        mask = np.array([name in kept_names for name in image.classes], dtype=bool)
        for i in np.flatnonzero(~mask):
            name = image.classes[i]
            needed = f"only {counts[name]} of the {min_boxes} boxes that it needs"
            detail = f"class {printable(name)} has {needed}: it is left out"
            box = corners(image.boxes[i])
            problems.append(Problem("rare_class", dataset.image_path(image).as_posix(), detail, "dropped_box", box=box))
        kept.append(image.keep(mask))
    return kept, classes, problems


def drop_emptied_images(
    dataset: Dataset, images: Sequence[AnnotatedImage]
) -> tuple[list[AnnotatedImage], list[Problem]]:
    """`images` without those whose objects were all dropped: as background they would teach that nothing is there."""
    had_objects = {image.file_name for image in dataset.images if image.classes}
    emptied = [image for image in images if not image.classes and image.file_name in had_objects]
    problems = [
        Problem(
            "image_left_empty", dataset.image_path(image).as_posix(), "all of its objects were dropped", "dropped_image"
        )
        for image in emptied
    ]
    dropped = {image.file_name for image in emptied}
    return [image for image in images if image.file_name not in dropped], problems
