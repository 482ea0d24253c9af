"""One shard of the records: written, read again, compared with its source, and only then called finished.

`write_shard` depends on its job alone, so that any process that sees the same files may do it, with the same bytes. A
finished shard has its facts beside it, in a file of its own that is written last.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import google_crc32c
import numpy as np
from PIL import features

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


@dataclass(frozen=True)
class ShardFacts:
    """What stands in a finished shard; a row of index.json.

    Attributes:
        file: its name.
        images, boxes: how many it holds.
        re_encoded: images that are not stored byte for byte.
        resized: those of them that were made smaller.
        size: bytes.
        sha256: of the file.
    """

    file: str
    images: int
    boxes: int
    re_encoded: int
    resized: int
    size: int
    sha256: str


def write_shard(job: ShardJob) -> ShardFacts:
    """Write the job's shard, unless it is there and as it was when finished; memory holds one image at a time.

    Raises:
        DataError: an image lies outside its root, cannot be read, or is not the one that was validated; or what was
            written does not read back as what was meant.
        PipelineError: this process runs other code than the one that made the job.
    """
    if job.code != code_key():
        raise PipelineError(
            f"{job.path.name}: this worker runs other code or other packages than the pipeline that sent the shard: "
            "bring its clone to the same commit, and start it again"
        )
    # An image without a hash may have changed since, and nobody would know.
    if all(image.sha256 for image in job.images) and (finished := finished_shard(job.path)):
        return finished
    remove_leftovers(job.path)
    stored: list[_Stored] = []
    write_records(job.path, _examples(job, stored))
    facts = _read_back(job, stored)
    write_json(_facts_path(job.path), asdict(facts))
    return facts


def finished_shard(path: Path) -> ShardFacts | None:
    """The facts of a shard whose size and checksum still are those that it was finished with."""
    try:
        facts = ShardFacts(**json.loads(_facts_path(path).read_text(encoding="utf-8")))
        intact = path.stat().st_size == facts.size and sha256_of(path) == facts.sha256
    except (OSError, ValueError, TypeError):
        return None
    return facts if intact else None


@cache
def code_key() -> str:
    """A hash of the code, and of the packages that have a say in a shard's bytes, as this process has them."""
    # All of the code, as for training; and kept, because a worker that runs for days runs what it once imported.
    known = [f"{path.relative_to(CODE).as_posix()} {sha256_of(path)}" for path in sorted(CODE.rglob("*.py"))]
    known += [f"{name} {version(name)}" for name in ("numpy", "pillow", "protobuf")]
    known += [f"{name} {features.version(name)}" for name in ("jpg", "libjpeg_turbo", "zlib", "webp", "libtiff")]
    return hashlib.sha256("\n".join(known).encode()).hexdigest()


def _facts_path(path: Path) -> Path:
    return path.with_suffix(".json")


class _Stored(NamedTuple):
    """What was stored of an image file: its hash, and a checksum that costs next to nothing to compare again."""

    sha256: str
    crc32c: int


def _examples(job: ShardJob, stored: list[_Stored]) -> Iterator[bytes]:
    """The job's records; what each holds of its image is added to `stored`."""
    real_root = job.root.resolve()
    for number, image in enumerate(job.images):
        found, sha256 = _stored_image(job, image, real_root)
        stored.append(_Stored(sha256, google_crc32c.value(found.content)))
        meant = image.at_size(*found.size)
        source_id = _source_id(job, number)
        yield encode_example(meant, found.content, found.format, job.class_ids, source_id=source_id, sha256=sha256)


def _stored_image(job: ShardJob, image: AnnotatedImage, real_root: Path) -> tuple[StoredImage, str]:
    """What to store for an image, and the SHA-256 of that."""
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
    """The shard's facts, from the file, after comparing every record with its source."""
    number, boxes, re_encoded, resized = 0, 0, 0, 0
    for payload in read_records(job.path):
        found = decode_example(payload)
        image = job.images[number] if number < len(job.images) else None
        difference = _difference(job, number, found, stored[number]) if image else "there is one image too many"
        if image is None or difference:
            name = image.file_name if image else found.image.file_name
            raise DataError(f"{job.path.name}: {name} does not read back as it was meant: {difference}")
        smaller = (found.image.width, found.image.height) != (image.width, image.height)
        resized += smaller
        re_encoded += smaller or bool(image.sha256 and image.sha256 != found.image.sha256)
        boxes += len(found.image.classes)
        number += 1
    if number != len(job.images):
        raise DataError(
            f"{job.path.name}: {len(job.images)} images were to be written, {number} read back; run the stage again"
        )
    size, sha256 = job.path.stat().st_size, sha256_of(job.path)
    return ShardFacts(job.path.name, number, boxes, re_encoded, resized, size, sha256)


def _difference(job: ShardJob, number: int, found: DecodedExample, stored: _Stored) -> str | None:
    """What is not as image `number` of the job says, or not what was stored of it, in words."""
    image = job.images[number]
    image = image.at_size(*stored_size((image.width, image.height), job.max_side_px))
    read = found.image
    pairs: dict[str, tuple[Any, Any]] = {
        "file name": (read.file_name, image.file_name),
        "source_id": (found.source_id, _source_id(job, number)),
        "size": ((read.width, read.height), (image.width, image.height)),
        "sha256": (read.sha256, stored.sha256),
        "checksum of the image": (google_crc32c.value(found.encoded), stored.crc32c),
        "classes": (read.classes, image.classes),
        "class ids": (found.class_ids, tuple(job.class_ids[name] for name in image.classes)),
        "difficult": (read.difficult.tolist(), image.difficult.tolist()),
        "iscrowd": (read.iscrowd.tolist(), image.iscrowd.tolist()),
    }
    for what, (got, expected) in pairs.items():
        if got != expected:
            return f"{what} is {got!r}, expected {expected!r}"
    distance = np.abs(read.boxes - image.boxes).max(initial=0.0)
    # Not `>`: a NaN must not pass.
    return None if distance <= TOLERANCE_PX else f"a box is off by {distance:g} px"


def _source_id(job: ShardJob, number: int) -> str:
    return str(job.first_id + number)
