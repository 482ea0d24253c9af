"""A few images with boxes, split, and the records of them."""

import numpy as np
from PIL import Image

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.split_files import write_coco_splits
from tasks.dataset.splits import SPLITS
from tasks.ground.files import sha256_of
from tasks.params import RecordsParams
from tasks.stages.records import records

CLASSES = ("key", "mug")


def save(folder, name, mode="RGB", size=(40, 30), **options):
    path = folder / name
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(path, **options)
    return path


def annotated(folder, name, boxes=((1.25, 2, 11, 22), (0, 0, 40, 30)), size=(40, 30), **options):
    path = save(folder, name, size=size, **options)
    n, (width, height) = len(boxes), size
    classes = ("mug", "key")[:n]
    return AnnotatedImage(
        name, width, height, as_boxes(boxes), classes, flags(n, [True, False][:n]), flags(n), "a.xml", sha256_of(path)
    )


def write_splits(folder, images, splits):
    datasets = {split: Dataset(folder, CLASSES, tuple(images.get(split, ()))) for split in SPLITS}
    write_coco_splits(datasets, splits)


def run(root, images_per_shard=2, max_side_px=None, workers=2, **images):
    write_splits(root, images, root.parent / "splits")
    params = RecordsParams(images_per_shard=images_per_shard, max_side_px=max_side_px, workers=workers, scheduler=None)
    return records(
        params,
        splits=root.parent / "splits",
        records=root.parent / "records",
        records_resume=root.parent / "records.partial",
    )


def written(root):
    return {path.name: path.read_bytes() for path in (root.parent / "records").iterdir()}


def files_of(folder):
    """The inode of each file by name: a file that is written again has another one."""
    return {path.name: path.stat().st_ino for path in folder.rglob("*.tfrecord")}
