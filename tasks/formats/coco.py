"""COCO JSON that people bring. The same layout passes between stages: `tasks.dataset.coco_json` reads and writes it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks.dataset.coco_json import read_coco
from tasks.dataset.dataset import AnnotatedImage, Problem
from tasks.dataset.problem_kinds import object_name
from tasks.ground.text import shortened


def read_coco_annotations(source: Path) -> tuple[list[AnnotatedImage], list[Problem], tuple[str, ...]]:
    """The images of a COCO file, its problems, and its classes; an annotation without a readable box is a problem.

    Raises:
        FormatError: the file is not JSON, or lacks what COCO requires; the message names the entry.
    """
    dataset = read_coco(source, of_people=True)
    unreadable = [
        _unreadable(image, i, dataset.classes)
        for image in dataset.images
        for i in np.flatnonzero(~np.isfinite(image.boxes).all(axis=1)).tolist()
    ]
    return list(dataset.images), [*dataset.problems, *unreadable], dataset.classes


def _unreadable(image: AnnotatedImage, i: int, classes: Sequence[str]) -> Problem:
    where, name, box = shortened(image.file_name), image.classes[i], image.boxes[i]
    if name not in classes:
        detail = f"object {i + 1} in {where}: categories has no {name}"
        return Problem("unknown_class", image.source, detail, "dropped_box")
    what = "no bbox of four numbers" if np.isnan(box).all() else str(box.tolist())
    return Problem("unreadable_object", image.source, f"{object_name(i + 1, name)} in {where}: {what}", "dropped_box")
