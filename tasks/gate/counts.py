"""The gate's counts, of the data set that passed it."""

from collections import Counter

from tasks.artifacts.gate import GateCounts
from tasks.dataset.dataset import Dataset
from tasks.dataset.problem_kinds import dropped_boxes, dropped_images


def gate_counts(checked: Dataset) -> GateCounts:
    """What passed, and what `checked.problems` lists."""
    boxes_of_class = checked.box_counts()
    return GateCounts(
        images=len(checked.images),
        boxes=sum(boxes_of_class.values()),
        dropped_images=dropped_images(checked.problems),
        dropped_boxes=dropped_boxes(checked.problems),
        fixed_boxes=sum(problem.action == "fixed_box" for problem in checked.problems),
        difficult=int(sum(image.difficult.sum() for image in checked.images)),
        iscrowd=int(sum(image.iscrowd.sum() for image in checked.images)),
        problems=dict(Counter(problem.kind for problem in checked.problems)),
        classes=dict(boxes_of_class),
    )
