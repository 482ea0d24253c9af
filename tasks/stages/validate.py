"""Stage validate: the gate before any GPU time. Every image is decoded, every box checked, every fault counted.

`validate.on_problem` decides: `fix` mends what can be mended and drops the rest, `drop` drops every faulty box, `fail`
stops; `validate.policy` decides for single kinds of problems. What they mean stands in docs/data-gate.md.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.dataset.coco_json import read_coco, write_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem
from tasks.dataset.problem_kinds import dropped_boxes, dropped_images
from tasks.gate.box_checks import BoxLimits, check_boxes
from tasks.gate.class_checks import drop_emptied_images, drop_rare_classes, remaining_classes
from tasks.gate.dataset_checks import differing_copies, one_spelling, similar_names, xywh_by_mistake
from tasks.gate.image_checks import check_images, inspect_images
from tasks.gate.limits import refuse_large_losses, refuse_problems
from tasks.gate.policy import Policy
from tasks.gate.problem_table import problem_table
from tasks.ground.files import write_json
from tasks.ground.text import tell
from tasks.model.definitions import input_side_px

if TYPE_CHECKING:
    from tasks.params import ModelParams, ValidateParams


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
    limits = BoxLimits(params.min_box_side_px, input_side_px(model.name))
    before = read_coco(ingested)
    facts = inspect_images(before, params.max_image_megapixels)
    sized, problems = check_images(before, facts, policy)
    named, variants = one_spelling(sized, before.root.as_posix(), policy)
    images, found = _check_data(before, named, policy, limits)
    spelled = replace(before, classes=remaining_classes(before.classes, sized, named))
    images, classes, rare = drop_rare_classes(spelled, images, params.min_boxes_per_class, policy)
    images, emptied = drop_emptied_images(before, images)
    after = Dataset(
        before.root, classes, tuple(images), (*before.problems, *problems, *variants, *found, *rare, *emptied)
    )
    figures = _figures(after)
    tell(problem_table(after.problems, policy))
    refuse_problems(after.problems, policy)
    refuse_large_losses(after, params)
    write_coco(after, validated)
    write_json(metrics_data, figures)
    return {key: figures[key] for key in ("images", "boxes", "dropped_images", "dropped_boxes", "fixed_boxes")}


def _check_data(
    dataset: Dataset, images: Sequence[AnnotatedImage], policy: Policy, limits: BoxLimits
) -> tuple[list[AnnotatedImage], list[Problem]]:
    """The images with the boxes that may stay; what was found in single boxes, and in the data as a whole."""
    root = dataset.root.as_posix()
    problems = [*xywh_by_mistake(images, root), *similar_names(images, root), *differing_copies(images, root)]
    checked = [check_boxes(image, dataset.image_path(image).as_posix(), policy, limits) for image in images]
    return [one.image for one in checked], [*problems, *(problem for one in checked for problem in one.problems)]


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
