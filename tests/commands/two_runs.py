"""Folders as the stages leave them, as far as `compare` and `diff` read them."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from tasks.artifacts.model_detections import write_model_detections
from tasks.dataset.coco_json import write_coco
from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.dataset.split_files import write_coco_splits
from tasks.dataset.splits import SPLITS
from tasks.ground.files import sha256_of
from tasks.model.thresholds import Thresholds, write_thresholds
from tests.metrics.simulated import draw_for

ROOT = Path(__file__).parents[2]
IMAGES = 40


def world(skills: list[float]) -> tuple[Dataset, tuple[list[Detections], ...]]:
    truth, found = draw_for(np.random.default_rng(3), IMAGES, skills)
    images = [replace(image, file_name=f"{i:02}.jpg") for i, image in enumerate(truth.images)]
    return replace(truth, images=tuple(images)), found


def write_run(
    folder: Path, truth: Dataset, found: list[Detections], *, others: dict[str, Dataset] | None = None, **train: object
) -> None:
    """A project's folder with the test split `truth`, what was found in it, and the `others`, train and val."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= train
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    empty = replace(truth, images=())
    splits = {"train": empty, "val": empty, **(others or {}), "test": truth}
    splits = {split: _with_photos(splits[split], folder) for split in SPLITS}
    write_coco_splits(splits, folder / "data/splits")
    images = tuple(image for split in SPLITS for image in splits[split].images)
    write_coco(replace(splits["test"], images=images), folder / "data/validated/annotations.json")
    write_model_detections(folder / "data/detections", "saved_model", truth, found)
    thresholds = Thresholds(score=0.4, chosen_by="F1", best_score=0.4, per_class={}, images=9)
    write_thresholds(thresholds, folder / "models/exported/thresholds.json")


def _with_photos(dataset: Dataset, folder: Path) -> Dataset:
    """The data set with its photos, which are plain, drawn into `folder`; those that are there stay."""
    images = []
    for image in dataset.images:
        path = folder / "photos" / image.file_name
        if not path.exists():
            # Of each name another content.
            number = int(sha256(image.file_name.encode()).hexdigest()[:6], 16)
            Image.new("RGB", (4, 4), (number >> 16, number >> 8 & 255, number & 255)).save(path)
        images.append(replace(image, sha256=sha256_of(path)))
    return replace(dataset, root=Path("photos"), images=tuple(images))
