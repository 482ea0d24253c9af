"""A project as `dvc repro configure` leaves it for `review`, without the model; photos of a bright dog on noise."""

import hashlib
import io
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.dataset.split_files import write_coco_splits
from tasks.tfrecords.tf_example import encode_example, shard_name
from tasks.tfrecords.tfrecord import write_records

ROOT = Path(__file__).parents[2]
CLASSES = ("cat", "dog")
# So many photos, the first, have their label twice.
TWICE = 2


def write_project(folder: Path, counts: tuple[int, int, int] = (8, 2, 2), *, labels: bool = True) -> dict[str, Dataset]:
    """Params, photos, splits of so many images and their records; not the model, nor its weights."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["train"] |= {"batch_size": 2, "save_every": 2, "freeze": 2}
    params["ingest"] |= {"source": "photos", "images": "photos"}
    (folder / "photos").mkdir(parents=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    numbers = np.split(np.arange(sum(counts)), np.cumsum(counts)[:-1])
    records = folder / "data/records"
    records.mkdir(parents=True)
    splits = {}
    for split, own in zip(("train", "val", "test"), numbers, strict=True):
        images = [_photo(folder, int(number), labels) for number in own]
        splits[split] = Dataset(Path("photos"), CLASSES, tuple(images))
        content = [(folder / "photos" / image.file_name).read_bytes() for image in images]
        examples = [
            encode_example(image, png, "png", {"cat": 1, "dog": 2}, source_id=str(number), sha256=image.sha256)
            for number, image, png in zip(own, images, content, strict=True)
        ]
        write_records(records / shard_name(split, 0, 1), examples)
    write_coco_splits(splits, folder / "data/splits")
    (records / "label_map.pbtxt").write_text("item { id: 1 name: 'cat' }\nitem { id: 2 name: 'dog' }\n")
    return splits


def _photo(folder: Path, number: int, labels: bool) -> AnnotatedImage:
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 160, (64, 64, 3), dtype=np.uint8)
    left, top = (int(side) for side in rng.integers(0, 32, 2))
    pixels[top : top + 24, left : left + 32] += 90
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    name, digest = f"{number:02}.png", hashlib.sha256(buffer.getvalue()).hexdigest()
    (folder / "photos" / name).write_bytes(buffer.getvalue())
    boxes = [[left, top, left + 32, top + 24]] * (2 if number < TWICE else 1) if labels else []
    n = len(boxes)
    return AnnotatedImage(
        name,
        64,
        64,
        as_boxes(boxes),
        ("dog",) * n,
        flags(n),
        flags(n),
        sha256=digest,
        # Of the content, so that no two are similar.
        perceptual_hash=digest,
    )
