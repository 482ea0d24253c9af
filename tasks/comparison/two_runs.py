"""Two runs beside each other, as values: the same test images, what differs, and by more than chance or not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.comparison.revisions import Run, changed_params
from tasks.dataset.coco_json import read_detections
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.split_files import read_coco_split
from tasks.errors import EvaluationError
from tasks.ground.text import printable
from tasks.metrics.coco import matched
from tasks.metrics.differences import Difference, Flip, differences, flips
from tasks.metrics.matching import Matches
from tasks.model.thresholds import DEFAULT_SCORE, read_thresholds

# What of a run is read, by names in `paths:`.
NEEDED = ("splits", "detections", "exported")


@dataclass(frozen=True)
class Scored:
    """A run, and what it found in its test images.

    Attributes:
        run: where it comes from.
        test: its test part.
        matches: of its SavedModel's detections.
        score: the threshold that it was exported with, else 0.3.
    """

    run: Run
    test: Dataset
    matches: Matches
    score: float


@dataclass(frozen=True)
class Comparison:
    """What `compare` shows.

    Attributes:
        before, after: the two runs.
        params: `(key, before, after)` of params that differ.
        figures: each with its interval.
        flipped: the boxes that only one of them finds.
    """

    before: Scored
    after: Scored
    params: Sequence[tuple[str, object, object]]
    figures: Sequence[Difference]
    flipped: Sequence[Flip]


def scored(run: Run) -> Scored:
    """A run's detections, matched.

    Raises:
        PipelineError: its files cannot be read.
    """
    test = read_coco_split(run.path("splits"), "test")
    detections = read_detections(run.path("detections") / "saved_model.json", test)
    file = run.path("exported") / "thresholds.json"
    score = read_thresholds(file).score if file.is_file() else DEFAULT_SCORE
    return Scored(run, test, matched(test, detections), score)


def comparison(before: Scored, after: Scored) -> Comparison:
    """What differs between two runs.

    Raises:
        EvaluationError: their test images, or boxes in them, are not the same; the message says how they differ.
    """
    _must_be_the_same(before, after)
    return Comparison(
        before,
        after,
        changed_params(before.run, after.run),
        differences(before.matches, after.matches),
        flips(before.matches, before.score, after.matches, after.score),
    )


def outdated(found: Comparison) -> list[str]:
    """A sentence for each run whose params.yaml was changed since it was made."""
    return [
        f"params.yaml of {each.run.name} says otherwise by now than its results were made with "
        f"({', '.join(each.run.outdated)}): compared is what was made; `dvc repro` makes it anew."
        for each in (found.before, found.after)
        if each.run.outdated
    ]


def lacks_intervals(found: Comparison) -> bool:
    """Whether a figure that differs has no interval, for too few images show its class."""
    return any(each.interval is None and each.before != each.after for each in found.figures)


def at_scores(found: Comparison) -> str:
    """The beginning of a sentence on the scores from which boxes count as found."""
    return f"Each at its own score ({found.before.score:.2f} before, {found.after.score:.2f} after)"


def _must_be_the_same(before: Scored, after: Scored) -> None:
    first, second = ({image.file_name: image for image in each.test.images} for each in (before, after))
    told = []
    for only, where in ((first.keys() - second.keys(), before), (second.keys() - first.keys(), after)):
        if only:
            told.append(f"{len(only)} images only in {where.run.name} ({_few(only)})")
    changed = [name for name in first.keys() & second.keys() if not _same(first[name], second[name])]
    if changed:
        told.append(f"{len(changed)} images changed, or annotated differently ({_few(changed)})")
    if before.test.classes != after.test.classes:
        told.append(f"classes {', '.join(before.test.classes)} and {', '.join(after.test.classes)}")
    if told:
        raise EvaluationError(
            f"{before.run.name} and {after.run.name} were scored on different test sets: {'; '.join(told)}. Figures of "
            "different images cannot be compared; run `dvc repro` of one with the other's data and split"
        )
    if list(first) != list(second):
        raise EvaluationError(f"{after.run.name}: its test images stand in another order; run `dvc repro` again")


def _same(one: AnnotatedImage, other: AnnotatedImage) -> bool:
    return (
        one.sha256 == other.sha256
        and one.classes == other.classes
        and np.array_equal(one.boxes, other.boxes)
        and np.array_equal(one.iscrowd, other.iscrowd)
    )


def _few(names: Sequence[str] | set[str]) -> str:
    return ", ".join(printable(name) for name in sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
