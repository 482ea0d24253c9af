"""Two runs on the same test images: what differs, and whether by more than chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from tasks.artifacts.model_detections import read_model_detections
from tasks.artifacts.training import read_training_figures
from tasks.comparison.data_changes import DataChanges, data_changes
from tasks.comparison.data_words import command_text, counts_text
from tasks.comparison.factors import Factors, factors_of
from tasks.comparison.revisions import changed_params
from tasks.comparison.run import Run
from tasks.comparison.run_data import RunData, read_run_data
from tasks.comparison.shared_test import SharedTest, shared_test
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.detections import Detections
from tasks.dataset.split_files import split_file
from tasks.dataset.splits import SPLITS
from tasks.errors import EvaluationError, PipelineError
from tasks.ground.files import sha256_of
from tasks.ground.text import printable
from tasks.metrics.differences import Difference, Flip, differences, flips
from tasks.metrics.intervals import LEAST_IMAGES
from tasks.metrics.matching import Matches, match_detections
from tasks.model.thresholds import DEFAULT_SCORE, read_thresholds

# The results of a run that are read, by names in `paths:`.
NEEDED = ("splits", "detections", "exported")
# Those that are read where they are at hand.
OPTIONAL = ("metrics_train",)


@dataclass(frozen=True)
class RunResults:
    """What a run left behind.

    Attributes:
        run: where it comes from.
        data: what it trained and measured on.
        detections: of its SavedModel, in each image of its test split.
        score: the threshold that it was exported with, else 0.3.
        data_digest: SHA-256 of the files of its splits.
        training_s: how long its training took, None where that is not known.
    """

    run: Run
    data: RunData
    detections: Sequence[Detections]
    score: float
    data_digest: str = ""
    training_s: float | None = None

    @property
    def test(self) -> Dataset:
        """Its test split."""
        return self.data.splits["test"]


@dataclass(frozen=True)
class ScoredRun:
    """A run on the test images that are compared.

    Attributes:
        run: where it comes from.
        test: those images.
        matches: of its detections in them.
        score: the threshold that it was exported with, else 0.3.
        training_s: how long its training took, None where that is not known.
    """

    run: Run
    test: Dataset
    matches: Matches
    score: float
    training_s: float | None = None


@dataclass(frozen=True)
class Comparison:
    """The differences that `compare` shows.

    Attributes:
        before, after: the two runs, on the test images that they share.
        shared: which those are, and why others are left out.
        data: what differs in their data, but for what the gate found.
        params: `(key, before, after)` of params that differ.
        figures: each with its interval.
        flipped: the boxes that only one of them finds.
    """

    before: ScoredRun
    after: ScoredRun
    shared: SharedTest
    data: DataChanges
    params: Sequence[tuple[str, object, object]]
    figures: Sequence[Difference]
    flipped: Sequence[Flip]


def read_results(run: Run) -> RunResults:
    """The results of `run` that are compared.

    Raises:
        PipelineError: its files cannot be read.
    """
    data = read_run_data(run, findings=False)
    detections = read_model_detections(run.path("detections"), "saved_model", data.splits["test"])
    file = run.path("exported") / "thresholds.json"
    score = read_thresholds(file).score if file.is_file() else DEFAULT_SCORE
    splits = "".join(sha256_of(split_file(run.path("splits"), split)) for split in SPLITS)
    digest = sha256(splits.encode()).hexdigest()
    return RunResults(run, data, detections, score, digest, _training_seconds(run))


def compare_runs(before: RunResults, after: RunResults) -> Comparison:
    """What differs between two runs, on the test images that they share.

    Raises:
        EvaluationError: they share too few, or their classes differ; the message says what differs.
    """
    shared = shared_test(before.data, after.data)
    _require_comparable(before, after, shared)
    # Of both runs the same boxes in the same order.
    images = [before.test.images[i] for i, _ in shared.pairs]
    first, second = (
        score_on(results, images, before.test.classes, [pair[side] for pair in shared.pairs])
        for side, results in enumerate((before, after))
    )
    return Comparison(
        first,
        second,
        shared,
        data_changes(before.data, after.data),
        changed_params(before.run, after.run),
        differences(first.matches, second.matches),
        flips(first.matches, before.score, second.matches, after.score),
    )


def data_notes(comparison: Comparison) -> list[str]:
    """Sentences where the data of the two runs differ: what changed; empty where they are the same."""
    if not comparison.data:
        return []
    notes = [f"Their data differ: {counts_text(comparison.data)}."]
    factors = factors_between(comparison)
    if factors.params_changed:
        what = factors.params_name.capitalize()
        notes.append(f"{what} and data differ: what the figures gain or lose can come from either.")
    return notes


def factors_between(comparison: Comparison) -> Factors:
    """What differs between the runs of a comparison, by side."""
    return factors_of(comparison.before.run, comparison.after.run, data_changed=bool(comparison.data))


def diff_command(comparison: Comparison) -> str:
    """The command that lists what changed in the data."""
    return command_text("diff", comparison.before.run, comparison.after.run)


def left_out_notes(comparison: Comparison) -> list[str]:
    """A sentence for each run of which test images are left out, and one on what that means."""
    if comparison.shared.is_whole:
        return []
    return [
        *_left_out_texts((comparison.data.before, comparison.data.after), comparison.shared),
        "The figures below are on the shared images alone, so they are not those that each run printed.",
    ]


def lacks_intervals(comparison: Comparison) -> bool:
    """Whether a figure that differs has no interval, because too few images show its class."""
    return any(each.interval is None and each.before != each.after for each in comparison.figures)


def scores_note(comparison: Comparison) -> str:
    """The scores from which boxes count as found, in words that a sentence can begin with."""
    before, after = comparison.before.score, comparison.after.score
    return f"Each run at its own score ({before:.2f} before, {after:.2f} after)"


def score_on(
    results: RunResults, images: Sequence[AnnotatedImage], classes: tuple[str, ...], places: Sequence[int]
) -> ScoredRun:
    """The results on `images` alone, which are at `places` of the test split; `classes` in the order to score in."""
    test = replace(results.test, classes=classes, images=tuple(images))
    matches = match_detections(test, [results.detections[place] for place in places])
    return ScoredRun(results.run, test, matches, results.score, results.training_s)


def _training_seconds(run: Run) -> float | None:
    """From its metrics; None where the file is missing, or of another version of the project."""
    try:
        figures = read_training_figures(run.path("metrics_train"))
    except PipelineError:
        return None
    return figures.seconds + figures.startup_s


def _require_comparable(before: RunResults, after: RunResults, shared: SharedTest) -> None:
    names = f"{before.run.name} and {after.run.name}"
    first, second = before.test.classes, after.test.classes
    if set(first) != set(second):
        raise EvaluationError(
            f"{names} have other classes: {', '.join(first)} and {', '.join(second)}. Figures of different classes "
            f"cannot be compared; `{command_text('diff', before.run, after.run)}` shows what changed in the data"
        )
    if len(shared.pairs) < LEAST_IMAGES and not shared.is_whole:
        left_out = " ".join(_left_out_texts((before.data, after.data), shared))
        raise EvaluationError(
            f"{names} share {len(shared.pairs)} test images, and figures are compared on {LEAST_IMAGES} or more. "
            f"{left_out} Run `dvc repro` of one with the other's data and split; "
            f"`{command_text('diff', before.run, after.run)}` shows what changed in the data"
        )


def _left_out_texts(runs: Sequence[RunData], shared: SharedTest) -> list[str]:
    texts = []
    for data, reasons in zip(runs, shared.left_out, strict=True):
        listed = [f"{len(names)} {reason} ({_first_names(names)})" for reason, names in reasons.items()]
        left_out, images = sum(map(len, reasons.values())), len(data.splits["test"].images)
        if listed:
            texts.append(
                f"Left out are {left_out} of the {images} test images of {data.run.name}: {', '.join(listed)}."
            )
    return texts


def _first_names(names: Sequence[str]) -> str:
    return ", ".join(printable(name) for name in sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
