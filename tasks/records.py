"""Stage `records`: the splits as TFRecords, re-read and compared with their source before anything trains on them.

An image that TensorFlow decodes to the same 8-bit RGB pixels (a plain JPEG or PNG) is stored byte for byte; any other
is converted to RGB and stored as JPEG.
"""

import hashlib
import io
import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from tasks.annotation.dataset import AnnotatedImage, Dataset
from tasks.errors import DataError
from tasks.files import replacing, sha256_of, write_json
from tasks.formats.coco import read_coco
from tasks.formats.image_file import open_image
from tasks.formats.label_map import read_label_map, write_label_map
from tasks.formats.rgb import as_rgb
from tasks.formats.tf_example import DecodedExample, ImageFormat, decode_example, encode_example, shard_name
from tasks.formats.tfrecord import read_records, write_records

if TYPE_CHECKING:
    from tasks.params import RecordsParams

PARTS = ("train", "val", "test")
JPEG_QUALITY = 95
# A fraction kept as float32 places a box this exactly in images of up to 30,000 px a side.
TOLERANCE_PX = 1e-3
_THREADS = min(8, os.cpu_count() or 1)
_PNG_BIT_DEPTH_AT = 24


def records(params: "RecordsParams", *, splits: Path, records: Path) -> dict[str, Any]:
    """Write each part's shards, label_map.pbtxt and index.json; a part without images has one empty shard.

    Raises:
        DataError: the splits disagree about the classes, an image lies outside its root, cannot be read, or is not the
            one that was validated; or what was written does not read back as what was meant.
    """
    parts = {part: read_coco(splits / f"{part}.json") for part in PARTS}
    classes = _classes(parts, splits)
    index: dict[str, Any] = {}
    re_encoded = 0
    with replacing(records) as beside:
        beside.mkdir()
        write_label_map(classes, beside / "label_map.pbtxt")
        ids = {name: number for number, name in enumerate(read_label_map(beside / "label_map.pbtxt"), start=1)}
        total = 2 * sum(len(dataset.images) for dataset in parts.values())
        with tqdm(total=total, desc="records (written, then re-read)", unit="image") as bar:
            for part, dataset in parts.items():
                shards = _write_part(dataset, part, beside, params.images_per_shard, ids, bar)
                re_encoded += _verify_part(dataset, part, shards, ids, bar)
                index[part] = _index(dataset, shards, params.images_per_shard)
        write_json(beside / "index.json", index)
    return {
        **{part: index[part]["images"] for part in PARTS},
        "boxes": sum(entry["boxes"] for entry in index.values()),
        "shards": sum(len(entry["shards"]) for entry in index.values()),
        "re_encoded": re_encoded,
    }


def encoded_image(path: Path) -> tuple[bytes, ImageFormat, tuple[int, int]]:
    """The bytes to store for an image file, their format, and the image's real width and height.

    Raises:
        FormatError: not an image, or a damaged one.
    """
    # validate.max_image_megapixels was applied where these images came from.
    with open_image(path, max_megapixels=math.inf) as image:
        content = path.read_bytes()
        if image.mode == "RGB" and image.format in ("JPEG", "MPO"):
            return content, "jpeg", image.size
        if _is_plain_png(image, content):
            return content, "png", image.size
        buffer = io.BytesIO()
        as_rgb(image).save(buffer, format="JPEG", quality=JPEG_QUALITY, subsampling=0)
        return buffer.getvalue(), "jpeg", image.size


def _is_plain_png(image: Image.Image, content: bytes) -> bool:
    """8-bit RGB, no transparent colour, no animation. Pillow calls 16-bit RGB plain RGB: the depth is in the header."""
    return (
        image.format == "PNG"
        and image.mode == "RGB"
        and content[_PNG_BIT_DEPTH_AT] == 8
        and "transparency" not in image.info
        and not getattr(image, "is_animated", False)
    )


def _classes(parts: Mapping[str, Dataset], splits: Path) -> tuple[str, ...]:
    classes = parts["train"].classes
    for part, dataset in parts.items():
        if dataset.classes != classes:
            raise DataError(
                f"{splits / part}.json: its classes are {', '.join(dataset.classes)}, those of train.json are "
                f"{', '.join(classes)}; run the split stage again so that both come from one run"
            )
    return classes


def _write_part(
    dataset: Dataset, part: str, folder: Path, images_per_shard: int, ids: Mapping[str, int], bar: "tqdm[Any]"
) -> list[Path]:
    count = max(1, math.ceil(len(dataset.images) / images_per_shard))
    shards = [folder / shard_name(part, number, count) for number in range(count)]

    def example(number: int) -> bytes:
        return _example(dataset, number, ids)

    with ThreadPoolExecutor(_THREADS) as pool:
        for i, path in enumerate(shards):
            numbers = range(i * images_per_shard, min((i + 1) * images_per_shard, len(dataset.images)))
            write_records(path, _counted(_in_order(pool, example, numbers), bar))
    return shards


def _in_order(pool: ThreadPoolExecutor, make: Callable[[int], bytes], numbers: Iterable[int]) -> Iterator[bytes]:
    """`make(number)` for each number, in their order; only a few images are held at a time."""
    waiting: deque[Future[bytes]] = deque()
    for number in numbers:
        waiting.append(pool.submit(make, number))
        if len(waiting) > 2 * _THREADS:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _counted(payloads: Iterable[bytes], bar: "tqdm[Any]") -> Iterator[bytes]:
    for payload in payloads:
        yield payload
        bar.update()


def _example(dataset: Dataset, number: int, ids: Mapping[str, int]) -> bytes:
    image = dataset.images[number]
    path = dataset.image_path(image)
    if not path.resolve().is_relative_to(dataset.root.resolve()):
        raise DataError(f"{path}: lies outside {dataset.root}, the images' folder; copy the image into it")
    if not path.is_file():
        raise DataError(f"{path}: no such file; put it back, or run `dvc repro` to go on without it")
    if image.sha256 and sha256_of(path) != image.sha256:
        raise DataError(f"{path}: has changed since it was read by the ingest stage; run `dvc repro`")
    encoded, image_format, size = encoded_image(path)
    if size != (image.width, image.height):
        raise DataError(
            f"{path}: has {size[0]} x {size[1]} pixels, but its annotation ({image.source}) says "
            f"{image.width} x {image.height}; run the validate stage again"
        )
    return encode_example(image, encoded, image_format, ids, source_id=str(number + 1))


def _verify_part(dataset: Dataset, part: str, shards: list[Path], ids: Mapping[str, int], bar: "tqdm[Any]") -> int:
    """How many images were re-encoded, after comparing every record with its source."""
    number, re_encoded = 0, 0
    for path in shards:
        for payload in read_records(path):
            found = decode_example(payload)
            image = dataset.images[number] if number < len(dataset.images) else None
            difference = _difference(found, image, str(number + 1), ids) if image else "there is one image too many"
            if difference:
                name = image.file_name if image else found.image.file_name
                raise DataError(f"{path.name}: {name} does not read back as it was meant: {difference}")
            re_encoded += bool(image and image.sha256 and image.sha256 != found.image.sha256)
            number += 1
            bar.update()
    if number != len(dataset.images):
        raise DataError(
            f"{part}: {len(dataset.images)} images were to be written, {number} read back; run the stage again"
        )
    return re_encoded


def _difference(found: DecodedExample, image: AnnotatedImage, source_id: str, ids: Mapping[str, int]) -> str | None:
    read = found.image
    pairs: dict[str, tuple[Any, Any]] = {
        "file name": (read.file_name, image.file_name),
        "source_id": (found.source_id, source_id),
        "size": ((read.width, read.height), (image.width, image.height)),
        "sha256": (read.sha256, hashlib.sha256(found.encoded).hexdigest()),
        "classes": (read.classes, image.classes),
        "class ids": (found.class_ids, tuple(ids[name] for name in image.classes)),
        "difficult": (read.difficult.tolist(), image.difficult.tolist()),
        "iscrowd": (read.iscrowd.tolist(), image.iscrowd.tolist()),
    }
    for what, (got, expected) in pairs.items():
        if got != expected:
            return f"{what} is {got!r}, expected {expected!r}"
    distance = np.abs(read.boxes - image.boxes).max(initial=0.0)
    # Not `>`: a NaN must not pass.
    return None if distance <= TOLERANCE_PX else f"a box is off by {distance:g} px"


def _index(dataset: Dataset, shards: list[Path], images_per_shard: int) -> dict[str, Any]:
    """What stands in each shard, for people and for checks."""
    rows = []
    for i, path in enumerate(shards):
        images = dataset.images[i * images_per_shard : (i + 1) * images_per_shard]
        boxes = sum(len(image.classes) for image in images)
        rows.append({"file": path.name, "images": len(images), "boxes": boxes, "sha256": sha256_of(path)})
    return {"images": len(dataset.images), "boxes": sum(row["boxes"] for row in rows), "shards": rows}
