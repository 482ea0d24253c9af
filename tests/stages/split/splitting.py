"""Images to split, and the stage split on them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_json import write_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.split_files import read_coco_splits
from tasks.params import SplitParams
from tasks.stages.split import split

CLASSES = ("a", "b", "c")


def image(number, classes="a", content=""):
    n = len(classes)
    boxes = as_boxes([[0, 0, 5, 5]] * n)
    return AnnotatedImage(
        f"{number:03d}.jpg", 10, 10, boxes, tuple(classes), flags(n), flags(n), sha256=content or f"{number:064x}"
    )


def run(tmp_path, images, classes=CLASSES, **values):
    write_coco(Dataset(Path("images"), classes, tuple(images)), tmp_path / "validated.json")
    usual = {"seed": 1, "val_fraction": 0.15, "test_fraction": 0.2, "near_duplicate_distance": 60}
    params = SplitParams(**{**usual, "frame_run_distance": 90, "author_split": "keep", **values})
    return split(
        params,
        validated=tmp_path / "validated.json",
        splits=tmp_path / "splits",
        metrics_split=tmp_path / "split.json",
        plots_data=tmp_path / "plots",
        split_memory=tmp_path / "splits.json",
    )


def splits_of(tmp_path):
    """The split of each image, by file name."""
    return {
        image.file_name: name
        for name, dataset in read_coco_splits(tmp_path / "splits").items()
        for image in dataset.images
    }


def hashed(number, flipped, classes="a"):
    """An image whose perceptual hash is that of `number`, with the first `flipped` bits inverted."""
    bits = np.random.default_rng(number).integers(0, 2, 256)
    bits[:flipped] = 1 - bits[:flipped]
    return replace(image(number * 1000 + flipped, classes), perceptual_hash=np.packbits(bits).tobytes().hex())


def authors_images(name, numbers, **values):
    """Images that the author put in the split `name`."""
    return [replace(image(i), file_name=f"{name}/{i:03d}.jpg", given_split=name, **values) for i in numbers]


def similar_to(number, flipped, name):
    """An image that the author put in the split `name`; `number` and `flipped` as `hashed` takes them."""
    similar = hashed(number, flipped)
    return replace(similar, file_name=f"{name}/{similar.file_name}", given_split=name)
