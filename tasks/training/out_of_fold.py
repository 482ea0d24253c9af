"""Detections in every labelled image by a network that has not learned from it: K trainings, each without one fold."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tasks.dataset.coco_json import read_detections, write_detections
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.errors import BusyError
from tasks.ground.files import read_json, write_json
from tasks.ground.text import counted
from tasks.ground.unfinished import unfinished_work
from tasks.training.repeated import LabelledRecords, RepeatedTraining
from tasks.training.resume import run_key

if TYPE_CHECKING:
    from tasks.params import TrainParams

# With fewer steps a detector has hardly learned anything; more of them take time and find little more.
_LEAST_STEPS, _MOST_STEPS = 40, 2000


def detect_out_of_fold(
    params: "TrainParams",
    records: LabelledRecords,
    folds: npt.NDArray[np.int64],
    *,
    pipeline_config: Path,
    base: Path,
    work: Path,
    minutes: float | None = None,
) -> list[Detections]:
    """Detections in each image, by a network trained on the images of the other folds.

    A run that was killed goes on: what was detected in folds that had ended is read from `work`, and the fold that had
    not ended continues from its last saved step. How long it will take is printed before the first step.

    Args:
        params: how each training is done.
        records: the images.
        folds: `(N,)` the fold of each image, from 0; every fold up to the last has some.
        pipeline_config: what the configure stage wrote.
        base: what the checkpoint stage wrote.
        work: the folder that keeps what has been done.
        minutes: about how long all trainings may take together, from 40 to 2,000 steps each; None: as many steps as
            `params` say.

    Raises:
        BusyError: another process works there.
        TrainingError: a loss is not finite.
        CheckpointError: the base is damaged, or fills nothing of the backbone.
    """
    facts = [run_key(params, pipeline_config, records.folder, base), *folds.astype(str), f"{minutes}"]
    key = hashlib.sha256(" ".join(facts).encode()).hexdigest()[:16]
    busy = BusyError(f"{work}: another process is using this folder; wait for it, or end it")
    with unfinished_work(work, key, busy) as folder:
        count = int(folds.max()) + 1
        parts = [_chosen(records.images, folds == fold) for fold in range(count)]
        files = [folder / f"fold-{fold + 1}.json" for fold in range(count)]
        missing = [fold for fold, file in enumerate(files) if not file.is_file()]
        if missing:
            training = RepeatedTraining(
                params, records, pipeline_config=pipeline_config, base=base, work=folder, trainings=count
            )
            _plan(training, minutes, folder / "steps.json", trainings=len(missing), images=_count(parts, missing))
            for fold in missing:
                name = f"fold-{fold + 1}"
                print(f"review: fold {fold + 1} of {count}, without {_images(parts[fold])}", flush=True)
                training.train(folds != fold, name)
                write_detections(training.detect(folds == fold), parts[fold], files[fold])
                training.forget(name)
        else:
            print("review: all folds were done before", flush=True)
        return _in_order(folds, [read_detections(file, part) for file, part in zip(files, parts, strict=True)])


def _plan(training: RepeatedTraining, minutes: float | None, chosen: Path, *, trainings: int, images: int) -> None:
    """Set how many steps each training takes, and print how long it will be; `chosen` keeps them for a later process.

    What is left to do are `trainings`, after which is detected in `images`.
    """
    step_s, image_s = seconds = training.seconds()
    if minutes is not None:
        if not chosen.is_file():
            write_json(chosen, steps_within(minutes * 60 - images * image_s, trainings * step_s))
        training.set_steps(int(read_json(chosen, "a number of steps")))
    training.announce("review", seconds, trainings, images)


def steps_within(seconds: float, step_s: float) -> int:
    """How many steps of `step_s` fit into so many seconds: 40 to 2,000."""
    return min(_MOST_STEPS, max(_LEAST_STEPS, int(seconds / step_s)))


def _count(parts: Sequence[Dataset], chosen: Sequence[int]) -> int:
    return sum(len(parts[fold].images) for fold in chosen)


def _images(part: Dataset) -> str:
    return counted(len(part.images), "image")


def _chosen(images: Dataset, mask: npt.NDArray[np.bool_]) -> Dataset:
    return Dataset(images.root, images.classes, tuple(images.images[int(i)] for i in np.flatnonzero(mask)))


def _in_order(folds: npt.NDArray[np.int64], by_fold: Sequence[Sequence[Detections]]) -> list[Detections]:
    queues = [iter(each) for each in by_fold]
    return [next(queues[fold]) for fold in folds]
