"""Stage `records`: the splits as TFRecords, re-read and compared with their source before anything trains on them.

Shards are written in a folder outside DVC's outs, where the next run finds them if this one is killed; when all are
finished, they become the result in one step. docs/adr/0005-records-by-shard.md says why.
"""

import hashlib
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from tasks.dataset.coco_json import read_coco
from tasks.dataset.dataset import Dataset
from tasks.dataset.splits import SPLITS
from tasks.errors import DataError
from tasks.ground.files import remove_leftovers, replacing, sha256_of, write_json
from tasks.ground.unfinished import unfinished
from tasks.model.label_map import read_label_map, write_label_map
from tasks.tfrecords.shard_pool import here, on_cluster
from tasks.tfrecords.shards import ShardFacts, ShardJob, code_key
from tasks.tfrecords.tf_example import shard_name

if TYPE_CHECKING:
    from tasks.params import RecordsParams


def records(params: "RecordsParams", *, splits: Path, records: Path, records_resume: Path) -> dict[str, Any]:
    """Write each part's shards, label_map.pbtxt and index.json; a part without images has one empty shard.

    Shards that a killed run of exactly this has finished are not written again.

    Raises:
        DataError: the splits disagree about the classes, an image lies outside its root, cannot be read, or is not the
            one that was validated; or what was written does not read back as what was meant.
        UnreachableError: the cluster of `records.scheduler` does not answer.
    """
    parts = {part: read_coco(splits / f"{part}.json") for part in SPLITS}
    classes = _classes(parts, splits)
    busy = DataError(f"{records_resume}: another process is writing records; wait for it, or end it")
    with unfinished(records_resume, _key(params, splits), busy) as folder:
        label_map = folder / "label_map.pbtxt"
        write_label_map(classes, label_map)
        ids = {name: number for number, name in enumerate(read_label_map(label_map), start=1)}
        written = list(_written(params, parts, ids, folder))
        index = {part: _entry([facts for facts in written if facts.file.startswith(f"{part}-")]) for part in SPLITS}
        _publish(folder, index, records)
        shutil.rmtree(folder)
    return {
        **{part: index[part]["images"] for part in SPLITS},
        "shards": sum(len(entry["shards"]) for entry in index.values()),
        **{key: sum(entry[key] for entry in index.values()) for key in ("boxes", "re_encoded", "resized")},
    }


def _classes(parts: Mapping[str, Dataset], splits: Path) -> tuple[str, ...]:
    classes = parts["train"].classes
    for part, dataset in parts.items():
        if dataset.classes != classes:
            raise DataError(
                f"{splits / part}.json: its classes are {', '.join(dataset.classes)}, those of train.json are "
                f"{', '.join(classes)}; run the split stage again so that both come from one run"
            )
    return classes


def _key(params: "RecordsParams", splits: Path) -> str:
    """A hash of all that decides the bytes: params, splits (which hold the images' hashes), code and packages."""
    known = [str(params.images_per_shard), str(params.max_side_px), code_key()]
    known += [sha256_of(splits / f"{part}.json") for part in SPLITS]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]


def _written(
    params: "RecordsParams", parts: Mapping[str, Dataset], ids: Mapping[str, int], folder: Path
) -> Iterator[ShardFacts]:
    """The facts of every shard of every part, in order."""
    jobs = (job for part, dataset in parts.items() for job in _jobs(params, part, dataset, ids, folder.resolve()))
    done = on_cluster(jobs, params.scheduler) if params.scheduler else here(jobs, params.workers)
    total = sum(len(dataset.images) for dataset in parts.values())
    with tqdm(total=total, desc="records (written and re-read)", unit="image") as bar:
        for facts in done:
            bar.update(facts.images)
            yield facts


def _jobs(
    params: "RecordsParams", part: str, dataset: Dataset, ids: Mapping[str, int], folder: Path
) -> Iterator[ShardJob]:
    count = max(1, math.ceil(len(dataset.images) / params.images_per_shard))
    for number in range(count):
        start = number * params.images_per_shard
        yield ShardJob(
            path=folder / shard_name(part, number, count),
            # Other processes may run in other folders.
            root=dataset.root.absolute(),
            images=dataset.images[start : start + params.images_per_shard],
            first_id=start + 1,
            class_ids=ids,
            max_side_px=params.max_side_px,
            code=code_key(),
        )


def _entry(shards: list[ShardFacts]) -> dict[str, Any]:
    """What stands in a part and in each of its shards, for people and for checks."""
    rows = [asdict(facts) for facts in shards]
    sums = {key: sum(row[key] for row in rows) for key in ("images", "boxes", "re_encoded", "resized")}
    return {**sums, "shards": rows}


def _publish(folder: Path, index: Mapping[str, Any], records: Path) -> None:
    """Make the finished shards of `folder` the folder `records`; until that is done, `folder` keeps them too."""
    remove_leftovers(records)
    with replacing(records) as beside:
        beside.mkdir()
        for name in ("label_map.pbtxt", *(row["file"] for entry in index.values() for row in entry["shards"])):
            try:
                os.link(folder / name, beside / name)
            except OSError:  # another file system, or one without links
                shutil.copyfile(folder / name, beside / name)
        write_json(beside / "index.json", index)
