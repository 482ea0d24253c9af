"""`python -m tasks review`: the labels that are probably wrong, by detectors that have not learned from them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.annotating.review_tasks import REVIEW_TASKS, kept_in_export, write_review_tasks
from tasks.artifacts.review import (
    KEPT,
    KINDS,
    SUSPECTS,
    FoundSuspect,
    KeptLabel,
    read_kept,
    read_suspects,
    write_kept,
    write_suspects,
)
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.dataset.splits import SPLITS
from tasks.errors import DataError, PipelineError, StoppedError
from tasks.ground.files import read_json, replacing
from tasks.ground.text import counted, print_text, printable
from tasks.ground.unfinished import kept_by_command
from tasks.lint.paths import refuse_unsafe_out
from tasks.params import Params, read_params
from tasks.report_page.page import render
from tasks.review.folds import folds_of, read_labelled
from tasks.review.found import found_suspects
from tasks.review.kept import not_kept
from tasks.review.shots import shots_of
from tasks.review.suspects import find_suspects
from tasks.tfrecords.tf_example import read_split, shards_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PAGE = "review.html"
# Not the name of the memory: saving the page's file must not replace it.
_SAVED = "labels_right.json"
_STEPS = 200
# Of suspects below, next to none is a mistake.
_LEAST_SCORE = 0.05
_MOST_FOLDS, _MOST_STEPS, _MOST_MINUTES, _MOST_SHOWN = 20, 100_000, 10_080, 10_000


def review(
    *,
    folds: int,
    steps: int | None,
    minutes: float | None,
    count: int,
    keep: Sequence[Path],
    kept: Path | None,
    out: Path,
    params: Path,
) -> None:
    """Write the labels that are probably wrong into `out`, as a page, as JSON and as tasks for Label Studio.

    Nothing of the images and labels is changed. A run that was killed goes on when it is started again.

    Args:
        folds: how many trainings; each leaves out a part of all labelled images, in which it then detects.
        steps: of each training; None takes 200, or as many as fit into `minutes`.
        minutes: about how long all trainings may take together.
        count: how many suspects are shown at most.
        keep: files with labels that are right, saved from the page or exported from Label Studio.
        kept: where they are remembered; None takes the folder of `paths.split_memory`.
        out: for the results.
        params: the params file.

    Raises:
        PipelineError: an option is out of range, `configure` has not run, the images are too few, a file in `keep` is
            neither, or a loss is not finite.
    """
    _refuse_bad_options(folds, steps, minutes, count)
    values = read_params(params)
    refuse_unsafe_out(out, values)
    if out.exists() and not out.is_dir():
        raise DataError(f"--out {out}: a file of that name is there; name a folder")
    dataset = read_labelled(values.paths)
    _refuse_other_records(values, dataset)
    fold_of = folds_of(dataset, values.split, folds)
    memory = kept or values.paths.split_memory.with_name(KEPT)
    known = _remember(keep, memory, dataset, out)
    boxes = sum(len(image.classes) for image in dataset.images)
    print_text(f"review: {counted(len(dataset.images), 'image')} with {counted(boxes, 'label')}, {folds} folds")
    try:
        detections = _detect(values, dataset, fold_of, steps or _STEPS, minutes)
    except KeyboardInterrupt as stop:
        raise StoppedError("stopped; the same command goes on from the last saved step") from stop
    found = found_suspects(dataset, find_suspects(dataset, detections), _LEAST_SCORE)
    suspects = not_kept(found, known)
    _write(values, dataset, suspects[:count], out)
    _print(suspects, min(count, len(suspects)), len(found) - len(suspects), out, memory)


def _refuse_bad_options(folds: int, steps: int | None, minutes: float | None, count: int) -> None:
    for name, value, least, most in (
        ("--folds", folds, 2, _MOST_FOLDS),
        ("--steps", steps, 1, _MOST_STEPS),
        ("--minutes", minutes, 0.1, _MOST_MINUTES),
        ("--count", count, 1, _MOST_SHOWN),
    ):
        if value is not None and not least <= value <= most:
            raise PipelineError(f"{name} {value:g}: from {least:g} to {most:g}")


def _refuse_other_records(values: Params, dataset: Dataset) -> None:
    """Check that the records hold the images of the splits, in their order: what is found is told apart by that."""
    paths = values.paths
    names = [image.file_name for split in SPLITS for image in read_split(paths.records, split)]
    if names != [image.file_name for image in dataset.images]:
        raise DataError(f"{paths.records} holds other images than {paths.splits}: run `dvc repro configure`")


def _remember(keep: Sequence[Path], memory: Path, dataset: Dataset, out: Path) -> list[KeptLabel]:
    """The labels that were kept so far, those in the files `keep` with them."""
    known = read_kept(memory)
    for path in keep:
        if not path.is_file():
            raise PipelineError(f"--keep {path}: no such file; save one from {out / PAGE}")
        content = read_json(path, "labels that were kept, or an export of Label Studio")
        known += _kept_in_label_studio(path, dataset, out) if isinstance(content, list) else read_kept(path)
    if keep:
        write_kept(known, memory)
    return known


def _kept_in_label_studio(path: Path, dataset: Dataset, out: Path) -> list[KeptLabel]:
    """What was left as it was in annotations that are newer than the suspects in `out`."""
    suspects = read_suspects(out)
    kept = kept_in_export(path, suspects, dataset, (out / SUSPECTS).stat().st_mtime)
    print_text(f"{path}: {counted(len(kept), 'suspect')} left as it was by annotations since the last review")
    return kept


def _detect(
    values: Params, dataset: Dataset, fold_of: "npt.NDArray[np.int64]", steps: int, minutes: float | None
) -> list[Detections]:
    print("review: loading TensorFlow", flush=True)
    from tasks.training.out_of_fold import detect_out_of_fold  # noqa: PLC0415 - imports TensorFlow
    from tasks.training.repeated import LabelledRecords  # noqa: PLC0415

    paths = values.paths
    shards = [shard for split in SPLITS for shard in shards_of(paths.records, split)]
    return detect_out_of_fold(
        values.train.model_copy(update={"steps": steps}),
        LabelledRecords(paths.records, shards, dataset),
        fold_of,
        pipeline_config=paths.pipeline_config,
        base=paths.base,
        work=kept_by_command(paths.resume, "review"),
        minutes=minutes,
    )


def _write(values: Params, dataset: Dataset, suspects: Sequence[FoundSuspect], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    write_suspects(suspects, out)
    left_out = write_review_tasks(dataset, suspects, values.ingest.images, out)
    if left_out:
        print_text(
            f"{out / REVIEW_TASKS}: without {counted(len(left_out), 'image')} that lies outside ingest.images, such as "
            f"{left_out[0]}"
        )
    content = page(dataset, suspects, values.validate_.max_image_megapixels)
    with replacing(out / PAGE) as beside:
        beside.write_text(content, encoding="utf-8")


def page(dataset: Dataset, suspects: Sequence[FoundSuspect], max_megapixels: float) -> str:
    """The suspects as one self-contained page."""
    content = {
        "images": len(dataset.images),
        "labels": sum(len(image.classes) for image in dataset.images),
        "shots": shots_of(dataset, suspects, max_megapixels),
        "kinds": _by_kind(suspects),
        "file_name": _SAVED,
    }
    return render(content, printable, "review.html.j2", script_name="review.js")


def _by_kind(suspects: Sequence[FoundSuspect]) -> list[tuple[str, str, int]]:
    counts = Counter(each.kind for each in suspects)
    return [(kind, kind.replace("_", " "), counts[kind]) for kind in KINDS if counts[kind]]


def likely_text(scores: Sequence[float]) -> str:
    """How many of the suspects with these scores are more likely wrong than right."""
    likely = sum(score >= 0.5 for score in scores)
    return f"{likely} {'is' if likely == 1 else 'are'} more likely wrong than right (a score of 0.5 or more)"


def _print(suspects: Sequence[FoundSuspect], shown: int, kept: int, out: Path, memory: Path) -> None:
    kinds = ", ".join(f"{number} {words}" for _, words, number in _by_kind(suspects[:shown]))
    more = f" of {len(suspects)}" if shown < len(suspects) else ""
    print_text(f"review: {counted(shown, 'suspect')}{more} shown{f' ({kinds})' if kinds else ''}")
    print_text(f"  {likely_text([each.score for each in suspects])}")
    if kept:
        print_text(f"  {kept} not shown, for they were kept before ({memory})")
    print_text(f"{out / PAGE}: the page\n{out / SUSPECTS}: the same as JSON\n{out / REVIEW_TASKS}: for Label Studio")
