"""The folder data/records: the shards of all splits written, then published in one step."""

import hashlib
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from tasks.artifacts.records import RecordsIndex, ShardFacts, SplitRecords, write_records_index
from tasks.dataset.dataset import Dataset
from tasks.dataset.split_files import split_file
from tasks.dataset.splits import SPLITS
from tasks.ground.files import remove_leftovers, replacing, sha256_of
from tasks.tfrecords.shard_pool import write_on_cluster, write_on_threads
from tasks.tfrecords.shards import ShardJob, code_key
from tasks.tfrecords.tf_example import shard_name

if TYPE_CHECKING:
    from tasks.params import RecordsParams


def records_key(params: "RecordsParams", splits: Path) -> str:
    """A hash of all that decides the bytes: params, splits (which hold the images' hashes), code and packages."""
    inputs = [str(params.images_per_shard), str(params.max_side_px), code_key()]
    inputs += [sha256_of(split_file(splits, split)) for split in SPLITS]
    return hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]


def write_shards(
    params: "RecordsParams", datasets: Mapping[str, Dataset], class_ids: Mapping[str, int], folder: Path
) -> RecordsIndex:
    """Write the shards of all splits into `folder`, unless they are finished there; what each holds.

    Args:
        params: sizes, and where the shards are written.
        datasets: the data sets of train, val and test.
        class_ids: label-map id of each class name.
        folder: where the shards go.

    Raises:
        DataError: an image cannot be used, or a shard does not read back as it was meant.
        UnreachableError: the cluster of `params.scheduler` does not answer.
    """
    jobs = (
        job for split, dataset in datasets.items() for job in _jobs(params, split, dataset, class_ids, folder.resolve())
    )
    finished = write_on_cluster(jobs, params.scheduler) if params.scheduler else write_on_threads(jobs, params.workers)
    shards: list[ShardFacts] = []
    total = sum(len(dataset.images) for dataset in datasets.values())
    with tqdm(total=total, desc="records (written and re-read)", unit="image") as bar:
        for facts in finished:
            bar.update(facts.images)
            shards.append(facts)
    train, val, test = (
        SplitRecords.of([facts for facts in shards if facts.file.startswith(f"{split}-")]) for split in SPLITS
    )
    return RecordsIndex(train=train, val=val, test=test)


def _jobs(
    params: "RecordsParams", split: str, dataset: Dataset, class_ids: Mapping[str, int], folder: Path
) -> Iterator[ShardJob]:
    count = max(1, math.ceil(len(dataset.images) / params.images_per_shard))
    for number in range(count):
        start = number * params.images_per_shard
        yield ShardJob(
            path=folder / shard_name(split, number, count),
            # Worker processes may run in other folders.
            root=dataset.root.absolute(),
            images=dataset.images[start : start + params.images_per_shard],
            first_id=start + 1,
            class_ids=class_ids,
            max_side_px=params.max_side_px,
            code=code_key(),
        )


def publish_records(folder: Path, label_map: str, index: RecordsIndex, records: Path) -> None:
    """Make the finished shards and the file `label_map` of `folder` the folder `records`, with `index`.

    Until that is done, `folder` keeps them too.
    """
    remove_leftovers(records)
    with replacing(records, own_folder=True) as beside:
        beside.mkdir()
        for name in (label_map, *(facts.file for split in index.splits for facts in split.shards)):
            try:
                os.link(folder / name, beside / name)
            except OSError:  # another file system, or one without links
                shutil.copyfile(folder / name, beside / name)
        write_records_index(index, beside)
