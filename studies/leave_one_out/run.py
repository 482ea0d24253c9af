"""One training for each image, by the pipeline's own stages, on all images that are not similar to it."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from studies.last_weights import detect_with_last_weights
from studies.leave_one_out.result import LeaveOneOutFigures
from studies.stages import TRAINING_STAGES, code_version, run_stages, write_params
from tasks.artifacts.artifact import write_artifact
from tasks.dataset.coco_json import read_coco, read_detections, write_detections
from tasks.dataset.dataset import AnnotatedImage, Dataset
from tasks.dataset.detections import Detections
from tasks.dataset.split_files import write_coco_splits
from tasks.errors import DataError
from tasks.ground.files import replacing, sha256_of
from tasks.metrics.analysis import intervals_of
from tasks.metrics.coco import figures_of
from tasks.metrics.matching import match_detections
from tasks.params import Params, SplitParams, read_params
from tasks.partition.near_duplicates import connected_groups, neighbouring_frames, similar_pairs

# Those of the data and the work at hand: this is no study of our own.
_PARAMS = Path("params.yaml")
_FOLDER = Path(".leave-one-out")


def leave_one_out(out: Path, *, most: int) -> str:
    """Write the figures to `out`; lines for people.

    Raises:
        DataError: fewer than 2 images, more than `most`, or all of them are similar.
        PipelineError: as the stages raise it.
    """
    params = read_params(_PARAMS)
    validated = read_coco(params.paths.validated)
    # In the order of names, in which neighbours among frames are looked for.
    dataset = _with_images(validated, sorted(validated.images, key=lambda image: image.file_name))
    if not 2 <= len(dataset.images) <= most:
        raise DataError(
            f"{params.paths.validated}: {len(dataset.images)} images; this is for 2 to {most} (--most), as each is a "
            "training; with more, set split.test_fraction and let the pipeline score the test split"
        )
    folder = _FOLDER / _key(params)
    training_images = _training_images(dataset, params.split)
    detections = [_detect_left_out(dataset, left, rest, folder) for left, rest in enumerate(training_images)]
    matches = match_detections(dataset, detections)
    figures = figures_of(matches)
    result = LeaveOneOutFigures(
        images=len(dataset.images),
        mAP=figures.mean_ap,
        AP50=figures.ap50,
        AP75=figures.ap75,
        AR100=figures.ar100,
        per_class=figures.per_class,
        intervals=intervals_of(matches),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_artifact(out, result)
    shutil.rmtree(folder)
    return "\n".join([*result.lines(), f"written to {out}"])


def _training_images(dataset: Dataset, params: SplitParams) -> list[list[int]]:
    """For each image the numbers of those that are not similar to it.

    Raises:
        DataError: some image has none.
    """
    pairs = [
        *similar_pairs(dataset.images, params.near_duplicate_distance),
        *neighbouring_frames(dataset.images, params.frame_run_distance),
    ]
    group_of = {i: number for number, group in enumerate(connected_groups(len(dataset.images), pairs)) for i in group}
    every = range(len(dataset.images))
    others = [[i for i in every if group_of[i] != group_of[own]] for own in every]
    for own, rest in enumerate(others):
        if not rest:
            raise DataError(
                f"{dataset.images[own].file_name}: all other images are similar to it, so none is left to train on"
            )
    return others


def _detect_left_out(dataset: Dataset, left: int, rest: Sequence[int], folder: Path) -> Detections:
    """The detections in image `left` of a model that was trained on the images `rest`."""
    done, run = folder / f"{left}.json", folder / str(left)
    alone = _with_images(dataset, [dataset.images[left]])
    if not done.is_file():
        name = dataset.images[left].file_name
        print(f"leave_one_out: {left + 1} of {len(dataset.images)}: without {name}", flush=True)
        params = write_params(_PARAMS, run, run / "data", {})
        with replacing(params.paths.splits, own_folder=True) as beside:
            beside.mkdir(parents=True)
            train = _with_images(dataset, [dataset.images[i] for i in rest])
            write_coco_splits({"train": train, "val": _with_images(dataset, []), "test": alone}, beside)
        run_stages(("records", *TRAINING_STAGES), params)
        _, (detections,) = detect_with_last_weights(params, "test")
        write_detections([detections], alone, done)
        shutil.rmtree(run)
    (detections,) = read_detections(done, alone)
    return detections


def _with_images(dataset: Dataset, images: Sequence[AnnotatedImage]) -> Dataset:
    return Dataset(dataset.root, dataset.classes, tuple(images))


def _key(params: Params) -> str:
    """A hash of everything that decides the result: a run with other data or params starts anew."""
    code = code_version("studies/leave_one_out/*.py", "configs/**/*.config")
    known = [code, sha256_of(params.paths.validated), params.model_dump_json()]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]
