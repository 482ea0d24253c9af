"""The three COCO files of the folder data/splits: train.json, val.json and test.json."""

from collections.abc import Mapping
from pathlib import Path

from tasks.dataset.coco_json import read_coco, write_coco
from tasks.dataset.dataset import Dataset
from tasks.dataset.splits import SPLITS
from tasks.errors import DataError


def split_file(splits: Path, split: str) -> Path:
    """The COCO file of `split` (train, val, test) in the folder `splits`."""
    return splits / f"{split}.json"


def read_coco_split(splits: Path, split: str) -> Dataset:
    """The data set of one split in the folder `splits`.

    Raises:
        DataError: the file is missing.
        FormatError: it is not COCO JSON.
    """
    path = split_file(splits, split)
    if not path.is_file():
        raise DataError(f"{path}: no such file; run `dvc repro`, which runs the stage that writes it (split)")
    return read_coco(path)


def read_coco_splits(splits: Path) -> dict[str, Dataset]:
    """The data sets of train, val and test in the folder `splits`.

    Raises:
        DataError: a file is missing.
        FormatError: one is not COCO JSON.
    """
    return {split: read_coco_split(splits, split) for split in SPLITS}


def write_coco_splits(datasets: Mapping[str, Dataset], splits: Path) -> None:
    """Write the data sets of train, val and test into the folder `splits`."""
    for split in SPLITS:
        write_coco(datasets[split], split_file(splits, split))
