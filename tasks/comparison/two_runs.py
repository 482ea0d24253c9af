"""Two runs on the same test images: what differs, and whether by more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.artifacts.model_detections import read_model_detections
from tasks.comparison.revisions import Run, changed_params
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.split_files import read_coco_split
from tasks.errors import EvaluationError
from tasks.ground.text import printable
from tasks.metrics.differences import Difference, Flip, differences, flips
from tasks.metrics.matching import Matches, match_detections
from tasks.model.thresholds import DEFAULT_SCORE, read_thresholds

# The results of a run that are read, by names in `paths:`.
NEEDED = ("splits", "detections", "exported")


@dataclass(frozen=True)
class ScoredRun:
    """A run, and the matches of its detections with its test images.

    Attributes:
        run: where it comes from.
        test: its test split.
        matches: of its SavedModel's detections.
        score: the threshold that it was exported with, else 0.3.
    """

    run: Run
    test: Dataset
    matches: Matches
    score: float


@dataclass(frozen=True)
class Comparison:
    """The differences that `compare` shows.

    Attributes:
        before, after: the two runs.
        params: `(key, before, after)` of params that differ.
        figures: each with its interval.
        flipped: the boxes that only one of them finds.
    """

    before: ScoredRun
    after: ScoredRun
    params: Sequence[tuple[str, object, object]]
    figures: Sequence[Difference]
    flipped: Sequence[Flip]


def match_run(run: Run) -> ScoredRun:
    """Match a run's detections with its test images.

    Raises:
        PipelineError: its files cannot be read.
    """
    test = read_coco_split(run.path("splits"), "test")
    detections = read_model_detections(run.path("detections"), "saved_model", test)
    file = run.path("exported") / "thresholds.json"
    score = read_thresholds(file).score if file.is_file() else DEFAULT_SCORE
    return ScoredRun(run, test, match_detections(test, detections), score)


def compare_runs(before: ScoredRun, after: ScoredRun) -> Comparison:
    """What differs between two runs.

    Raises:
        EvaluationError: their test images, or boxes in them, are not the same; the message says how they differ.
    """
    _require_same_images(before, after)
    return Comparison(
        before,
        after,
        changed_params(before.run, after.run),
        differences(before.matches, after.matches),
        flips(before.matches, before.score, after.matches, after.score),
    )


def outdated_notes(comparison: Comparison) -> list[str]:
    """A sentence for each run whose params.yaml was changed since it was made."""
    return [
        f"params.yaml of {each.run.name} was changed after its results were made ({', '.join(each.run.outdated)}): "
        "this compares the results as they are; `dvc repro` makes them again."
        for each in (comparison.before, comparison.after)
        if each.run.outdated
    ]


def lacks_intervals(comparison: Comparison) -> bool:
    """Whether a figure that differs has no interval, because too few images show its class."""
    return any(each.interval is None and each.before != each.after for each in comparison.figures)


def scores_note(comparison: Comparison) -> str:
    """The scores from which boxes count as found, in words that a sentence can begin with."""
    before, after = comparison.before.score, comparison.after.score
    return f"Each run at its own score ({before:.2f} before, {after:.2f} after)"


def _require_same_images(before: ScoredRun, after: ScoredRun) -> None:
    first, second = ({image.file_name: image for image in each.test.images} for each in (before, after))
    faults = []
    for only, where in ((first.keys() - second.keys(), before), (second.keys() - first.keys(), after)):
        if only:
            faults.append(f"{len(only)} images only in {where.run.name} ({_first_names(only)})")
    changed = [name for name in first.keys() & second.keys() if not _same(first[name], second[name])]
    if changed:
        faults.append(f"{len(changed)} images changed or annotated differently ({_first_names(changed)})")
    if before.test.classes != after.test.classes:
        faults.append(f"classes {', '.join(before.test.classes)} and {', '.join(after.test.classes)}")
    if faults:
        raise EvaluationError(
            f"{before.run.name} and {after.run.name} were scored on different test sets: {'; '.join(faults)}. Figures "
            "of different images cannot be compared; run `dvc repro` of one with the other's data and split"
        )
    if list(first) != list(second):
        raise EvaluationError(f"{after.run.name}: its test images have another order; run `dvc repro` again")


def _same(one: AnnotatedImage, other: AnnotatedImage) -> bool:
    return (
        one.sha256 == other.sha256
        and one.classes == other.classes
        and np.array_equal(one.boxes, other.boxes)
        and np.array_equal(one.iscrowd, other.iscrowd)
    )


def _first_names(names: Sequence[str] | set[str]) -> str:
    return ", ".join(printable(name) for name in sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
