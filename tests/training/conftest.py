"""Records that the tests of this folder train on."""

import io
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from PIL import Image

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.tfrecords.tf_example import encode_example
from tasks.tfrecords.tfrecord import write_records
from tests.artifacts.base_descriptions import describe_base
from tests.detector.conftest import deterministic, network  # noqa: F401 - fixtures of this folder too
from tests.detector.toy_network import toy_config


def jpeg(grey: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), (grey, grey, grey)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def grey_shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven grey images `0.jpg` to `6.jpg` of level 30 * number, with 1 to 3 dogs (id 2); a third dog is a crowd."""
    path: Path = tmp_path_factory.mktemp("records") / "train-00000-of-00001.tfrecord"
    examples = []
    for number in range(7):
        n = 1 + number % 3
        image = AnnotatedImage(
            file_name=f"{number}.jpg",
            width=40,
            height=20,
            boxes=as_boxes([[4, 2, 20, 18]] * n),
            classes=("dog",) * n,
            difficult=flags(n),
            iscrowd=flags(n, [index == 2 for index in range(n)]),
        )
        examples.append(
            encode_example(image, jpeg(30 * number), "jpeg", {"dog": 2}, source_id=str(number), sha256="0" * 64)
        )
    write_records(path, examples)
    return path


def noisy_example(number: int) -> bytes:
    """A bright dog on noise; of flat images, rounding would decide what BatchNorm makes."""
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 160, (64, 64, 3), dtype=np.uint8)
    left, top = (int(side) for side in rng.integers(0, 32, 2))
    pixels[top : top + 24, left : left + 32] += 90
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    image = AnnotatedImage(
        file_name=f"{number}.png",
        width=64,
        height=64,
        boxes=as_boxes([[left, top, left + 32, top + 24]]),
        classes=("dog",),
        difficult=flags(1),
        iscrowd=flags(1),
    )
    return encode_example(image, buffer.getvalue(), "png", {"dog": 2}, source_id=str(number), sha256="0" * 64)


@pytest.fixture(scope="session")
def stage_inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the train stage reads, for the toy network and no base: eight noisy images with a bright dog each."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "pipeline.config").write_text(text_format.MessageToString(toy_config()))
    (folder / "records").mkdir()
    shard = folder / "noisy.tfrecord"
    write_records(shard, [noisy_example(number) for number in range(8)])
    for part in ("train", "val"):
        (folder / "records" / f"{part}-00000-of-00001.tfrecord").write_bytes(shard.read_bytes())
    (folder / "records" / "label_map.pbtxt").write_text("item { id: 1 name: 'cat' }\nitem { id: 2 name: 'dog' }\n")
    describe_base(folder / "base", "none")
    return folder
