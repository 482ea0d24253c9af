"""Stage `records`: the splits as TFRecords, re-read and compared with their source before anything trains on them.

Shards are written in a folder outside DVC's outs, where the next run finds them if this one is killed. When all are
finished, they become the result in one step. docs/adr/0005-records-by-shard.md says why.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.dataset.dataset import Dataset
from tasks.dataset.split_files import read_coco_splits, split_file
from tasks.dataset.splits import SPLITS
from tasks.errors import DataError
from tasks.ground.unfinished import unfinished_work
from tasks.model.label_map import LABEL_MAP, read_label_map, write_label_map
from tasks.tfrecords.records_folder import publish_records, records_key, write_shards

if TYPE_CHECKING:
    from tasks.params import RecordsParams


def records(params: "RecordsParams", *, splits: Path, records: Path, records_resume: Path) -> dict[str, int]:
    """Write each split's shards, label_map.pbtxt and index.json; a split without images has one empty shard.

    A shard that a killed run of the same key has finished is not written again.

    Raises:
        DataError: the splits have different classes, an image lies outside its root, cannot be read, or has changed
            since it was validated; or a shard does not read back as it was meant.
        UnreachableError: the cluster of `records.scheduler` does not answer.
    """
    datasets = read_coco_splits(splits)
    classes = _common_classes(datasets, splits)
    busy = DataError(f"{records_resume}: another process is writing records; wait for it, or end it")
    with unfinished_work(records_resume, records_key(params, splits), busy) as folder:
        write_label_map(classes, folder / LABEL_MAP)
        class_ids = {name: number for number, name in enumerate(read_label_map(folder / LABEL_MAP), start=1)}
        index = write_shards(params, datasets, class_ids, folder)
        publish_records(folder, LABEL_MAP, index, records)
        shutil.rmtree(folder)
    return {
        **{name: split.images for name, split in zip(SPLITS, index.splits, strict=True)},
        "shards": sum(len(split.shards) for split in index.splits),
        "boxes": sum(split.boxes for split in index.splits),
        "re_encoded": sum(split.re_encoded for split in index.splits),
        "resized": sum(split.resized for split in index.splits),
    }


def _common_classes(datasets: Mapping[str, Dataset], splits: Path) -> tuple[str, ...]:
    classes = datasets["train"].classes
    for split, dataset in datasets.items():
        if dataset.classes != classes:
            raise DataError(
                f"{split_file(splits, split)}: its classes are {', '.join(dataset.classes)}, those of train.json are "
                f"{', '.join(classes)}; run the split stage again so that both come from one run"
            )
    return classes
