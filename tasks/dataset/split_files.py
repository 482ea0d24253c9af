"""The three COCO files of the folder data/splits: train.json, val.json and test.json."""

from collections.abc import Mapping
from pathlib import Path

from tasks.dataset.coco_json import read_stage_coco, write_coco
from tasks.dataset.dataset import Dataset
from tasks.dataset.splits import SPLITS


def split_file(splits: Path, split: str) -> Path:
    """The COCO file of `split` (train, val, test) in the folder `splits`."""
    return splits / f"{split}.json"


def read_coco_split(splits: Path, split: str) -> Dataset:
    """The data set of one split in the folder `splits`.

    Raises:
        DataError: the file is missing.
        FormatError: it is not COCO JSON.
    """
    return read_stage_coco(split_file(splits, split), "split")


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
