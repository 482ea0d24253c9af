"""One shard of the records: it is finished once it was written, read again and compared with its source.

`write_shard` depends only on its job, so that any process that sees the same files writes the same bytes. A finished
shard has its facts beside it, in a file that is written last.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import google_crc32c
import numpy as np
from PIL import features

from tasks.artifacts.records import ShardFacts
from tasks.dataset.dataset import AnnotatedImage
from tasks.errors import DataError, PipelineError
from tasks.ground.files import CODE, remove_leftovers, sha256_of, write_json
from tasks.tfrecords.stored_image import StoredImage, stored_image, stored_size
from tasks.tfrecords.tf_example import DecodedExample, decode_example, encode_example
from tasks.tfrecords.tfrecord import read_records, write_records

# A fraction kept as float32 places a box this exactly in images of up to 30,000 px a side.
TOLERANCE_PX = 1e-3


@dataclass(frozen=True)
class ShardJob:
    """All that a shard's bytes depend on, apart from the images' files.

    Attributes:
        path: the file to write.
        root: the folder that the images' names are relative to.
        images: what the shard holds, in this order.
        first_id: the first image's id in the split's COCO file; the others follow.
        class_ids: label-map id of each class name.
        max_side_px: limit of the longer side of stored images.
        code: `code_key()` of the process that made the job.
    """

    path: Path
    root: Path
    images: tuple[AnnotatedImage, ...]
    first_id: int
    class_ids: Mapping[str, int]
    max_side_px: int | None
    code: str


def write_shard(job: ShardJob) -> ShardFacts:
    """Write the job's shard, unless it is finished and unchanged; memory holds one image at a time.

    Raises:
        DataError: an image lies outside its root, cannot be read, or has changed since it was validated; or the shard
            does not read back as it was meant.
        PipelineError: this process runs other code than the one that made the job.
    """
    if job.code != code_key():
        raise PipelineError(
            f"{job.path.name}: this worker runs other code or other packages than the pipeline that sent the shard: "
            "bring its clone to the same commit, and start it again"
        )
    # Whether an image without a hash has changed since, nothing can tell.
    if all(image.sha256 for image in job.images) and (finished := finished_shard(job.path)):
        return finished
    remove_leftovers(job.path)
    stored: list[_Stored] = []
    write_records(job.path, _examples(job, stored))
    facts = _read_back(job, stored)
    write_json(_facts_path(job.path), asdict(facts))
    return facts


def finished_shard(path: Path) -> ShardFacts | None:
    """The facts of a finished shard whose size and checksum are unchanged; None for any other."""
    try:
        facts = ShardFacts(**json.loads(_facts_path(path).read_text(encoding="utf-8")))
        intact = path.stat().st_size == facts.size and sha256_of(path) == facts.sha256
    except (OSError, ValueError, TypeError):
        return None
    return facts if intact else None


@cache
def code_key() -> str:
    """A hash of this process's code, and of the packages that a shard's bytes depend on."""
    # All of the code, as for training. Cached, because a worker that runs for days runs the code that it once imported.
    inputs = [f"{path.relative_to(CODE).as_posix()} {sha256_of(path)}" for path in sorted(CODE.rglob("*.py"))]
    inputs += [f"{name} {version(name)}" for name in ("numpy", "pillow", "protobuf")]
    inputs += [f"{name} {features.version(name)}" for name in ("jpg", "libjpeg_turbo", "zlib", "webp", "libtiff")]
    return hashlib.sha256("\n".join(inputs).encode()).hexdigest()


def _facts_path(path: Path) -> Path:
    return path.with_suffix(".json")


class _Stored(NamedTuple):
    """What was stored for an image file: its hash, and a checksum that is cheap to compare again."""

    sha256: str
    crc32c: int


def _examples(job: ShardJob, stored: list[_Stored]) -> Iterator[bytes]:
    """The job's records; what was stored for each image is appended to `stored`."""
    real_root = job.root.resolve()
    for number, image in enumerate(job.images):
        to_store, sha256 = _image_to_store(job, image, real_root)
        stored.append(_Stored(sha256, google_crc32c.value(to_store.content)))
        resized = image.at_size(*to_store.size)
        source_id = _source_id(job, number)
        yield encode_example(
            resized, to_store.content, to_store.format, job.class_ids, source_id=source_id, sha256=sha256
        )


def _image_to_store(job: ShardJob, image: AnnotatedImage, real_root: Path) -> tuple[StoredImage, str]:
    """What to store for an image, and its SHA-256."""
    path = job.root / image.file_name
    if not path.resolve().is_relative_to(real_root):
        raise DataError(f"{path}: lies outside {job.root}, the images' folder; copy the image into it")
    if not path.is_file():
        raise DataError(f"{path}: no such file; put it back, or run `dvc repro` to go on without it")
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    if image.sha256 and sha256 != image.sha256:
        raise DataError(f"{path}: has changed since it was read by the ingest stage; run `dvc repro`")
    stored = stored_image(path, content, max_side_px=job.max_side_px)
    if stored.source_size != (image.width, image.height):
        width, height = stored.source_size
        raise DataError(
            f"{path}: has {width} x {height} pixels, but its annotation ({image.source}) says "
            f"{image.width} x {image.height}; run the validate stage again"
        )
    return stored, sha256 if stored.content is content else hashlib.sha256(stored.content).hexdigest()


def _read_back(job: ShardJob, stored: Sequence[_Stored]) -> ShardFacts:
    """The shard's facts from the file; every record was compared with its source."""
    number, boxes, re_encoded, resized = 0, 0, 0, 0
    for payload in read_records(job.path):
        example = decode_example(payload)
        image = job.images[number] if number < len(job.images) else None
        difference = _difference(job, number, example, stored[number]) if image else "there is one image too many"
        if image is None or difference:
            name = image.file_name if image else example.image.file_name
            raise DataError(f"{job.path.name}: {name} does not read back as it was meant: {difference}")
        smaller = (example.image.width, example.image.height) != (image.width, image.height)
        resized += smaller
        re_encoded += smaller or bool(image.sha256 and image.sha256 != example.image.sha256)
        boxes += len(example.image.classes)
        number += 1
    if number != len(job.images):
        raise DataError(
            f"{job.path.name}: {len(job.images)} images were to be written, {number} read back; run the stage again"
        )
    size, sha256 = job.path.stat().st_size, sha256_of(job.path)
    return ShardFacts(job.path.name, number, boxes, re_encoded, resized, size, sha256)


def _difference(job: ShardJob, number: int, example: DecodedExample, stored: _Stored) -> str | None:
    """The first difference of `example` from image `number` of the job and from `stored`, in words."""
    image = job.images[number]
    image = image.at_size(*stored_size((image.width, image.height), job.max_side_px))
    read = example.image
    pairs: dict[str, tuple[object, object]] = {
        "file name": (read.file_name, image.file_name),
        "source_id": (example.source_id, _source_id(job, number)),
        "size": ((read.width, read.height), (image.width, image.height)),
        "sha256": (read.sha256, stored.sha256),
        "checksum of the image": (google_crc32c.value(example.encoded), stored.crc32c),
        "classes": (read.classes, image.classes),
        "class ids": (example.class_ids, tuple(job.class_ids[name] for name in image.classes)),
        "difficult": (read.difficult.tolist(), image.difficult.tolist()),
        "iscrowd": (read.iscrowd.tolist(), image.iscrowd.tolist()),
    }
    for name, (got, expected) in pairs.items():
        if got != expected:
            return f"{name} is {got!r}, expected {expected!r}"
    distance = np.abs(read.boxes - image.boxes).max(initial=0.0)
    # Not `>`: a NaN must not pass.
    return None if distance <= TOLERANCE_PX else f"a box is off by {distance:g} px"


def _source_id(job: ShardJob, number: int) -> str:
    return str(job.first_id + number)
