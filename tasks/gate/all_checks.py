"""Every check of the gate, in the order in which one builds on another: images, spellings, boxes, classes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem
from tasks.gate.box_checks import BoxLimits, check_boxes
from tasks.gate.class_checks import drop_emptied_images, drop_rare_classes, remaining_classes
from tasks.gate.dataset_checks import find_differing_copies, find_similar_names, unify_spellings
from tasks.gate.image_checks import check_images, inspect_images
from tasks.gate.misread_boxes import find_misread_boxes
from tasks.model.resizer import Resizer

if TYPE_CHECKING:
    from tasks.gate.policy import Policy
    from tasks.params import ValidateParams


def check_dataset(ingested: Dataset, params: "ValidateParams", policy: "Policy", resizer: Resizer | None) -> Dataset:
    """What of `ingested` passes under `policy`, with its problems and those found here.

    `resizer` is how images come on the model's input, None where it is not known.

    Raises:
        DataError: an image changed since it was ingested.
    """
    facts = inspect_images(ingested, params.max_image_megapixels)
    sized, image_problems = check_images(ingested, facts, policy)
    named, variants = unify_spellings(sized, ingested.root.as_posix(), policy)
    limits = BoxLimits(params.min_box_side_px, resizer)
    images, box_problems = _check_boxes_and_names(ingested, named, policy, limits)
    spelled = replace(ingested, classes=remaining_classes(ingested.classes, sized, named))
    images, classes, rare = drop_rare_classes(spelled, images, params.min_boxes_per_class, policy)
    images, emptied = drop_emptied_images(ingested, images)
    problems = (*ingested.problems, *image_problems, *variants, *box_problems, *rare, *emptied)
    return Dataset(ingested.root, classes, tuple(images), problems)


def _check_boxes_and_names(
    dataset: Dataset, images: Sequence[AnnotatedImage], policy: "Policy", limits: BoxLimits
) -> tuple[list[AnnotatedImage], list[Problem]]:
    """The images with the boxes that may stay; the problems of the data as a whole, then those of single boxes."""
    root = dataset.root.as_posix()
    problems = [
        *find_misread_boxes(images, root),
        *find_similar_names(images, root),
        *find_differing_copies(images, root),
    ]
    checked = [check_boxes(image, dataset.image_path(image).as_posix(), policy, limits) for image in images]
    return [one.image for one in checked], [*problems, *(problem for one in checked for problem in one.problems)]
