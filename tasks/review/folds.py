"""All labelled images of the three splits, divided into folds: similar images stay in one fold."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tasks.dataset.dataset import Dataset
from tasks.dataset.split_files import read_coco_split, split_file
from tasks.dataset.splits import SPLITS
from tasks.errors import DataError
from tasks.partition.similar import find_similar
from tasks.partition.stratify import assign_groups

if TYPE_CHECKING:
    from tasks.params import PathParams, SplitParams


def read_labelled(paths: "PathParams") -> Dataset:
    """The images of train, val and test, in this order: that of their records.

    Raises:
        DataError: a stage has not run yet, or no image has a label.
        FormatError: a file is damaged.
    """
    needed = (split_file(paths.splits, "train"), paths.records, paths.base, paths.pipeline_config)
    missing = next((path for path in needed if not path.exists()), None)
    if missing:
        raise DataError(f"{missing}: missing; run `dvc repro configure` first, which makes all that a review needs")
    parts = [read_coco_split(paths.splits, split) for split in SPLITS]
    images = tuple(image for part in parts for image in part.images)
    if not any(image.classes for image in images):
        raise DataError(
            f"{paths.splits}: no image has a label, so there is nothing to review: draw boxes first "
            '(make annotate IMAGES=folder CLASSES="cat dog")'
        )
    return Dataset(parts[0].root, parts[0].classes, images)


def folds_of(dataset: Dataset, params: "SplitParams", folds: int) -> npt.NDArray[np.int64]:
    """`(N,)` the fold of each image, from 0: of one size as far as groups of similar images allow, with all classes.

    Raises:
        DataError: there are fewer groups than folds.
    """
    groups = find_similar(dataset.images, params).groups
    if len(groups) < folds:
        fewer = f"add --folds {len(groups)}, or add images" if len(groups) > 1 else "add images that differ"
        differing = f"images that differ: {len(groups)} of {len(dataset.images)} (similar ones stay together)"
        raise DataError(f"{differing}, too few for {folds} folds: {fewer}")
    images = len(dataset.images)
    shares = {str(fold): (images // folds + (fold < images % folds)) / images for fold in range(folds)}
    assigned = assign_groups(groups, dataset.classes, shares, seed=params.seed, kept={})
    fold_of = {image.file_name: int(fold) for group, fold in zip(groups, assigned, strict=True) for image in group}
    return np.array([fold_of[image.file_name] for image in dataset.images], dtype=np.int64)
