import pickle
import tracemalloc
from dataclasses import replace

import google_crc32c
import numpy as np
import pytest
from PIL import Image

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.errors import PipelineError
from tasks.ground.files import sha256_of
from tasks.tfrecords.shards import ShardJob, _difference, _Stored, code_key, finished_shard, write_shard
from tasks.tfrecords.tf_example import decode_example, encode_example


def job_of(folder, images):
    return ShardJob(
        path=folder / "train-00000-of-00001.tfrecord",
        root=folder,
        images=tuple(images),
        first_id=1,
        class_ids={"key": 1, "mug": 2},
        max_side_px=None,
        code=code_key(),
    )


def noise(folder, number, side=200):
    path = folder / f"{number}.png"
    if not path.exists():
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (side, side, 3), dtype=np.uint8)).save(path)
    return AnnotatedImage(
        path.name, side, side, as_boxes([(1, 2, 30, 40)]), ("mug",), flags(1), flags(1), "a.xml", sha256_of(path)
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"boxes": as_boxes([(1, 2, 11, 22.5)])}, "a box is off by 0.5 px"),
        ({"boxes": as_boxes([(1, 2, 11, np.nan)])}, "a box is off by nan px"),
        ({"classes": ("key",)}, "classes is ('mug',), expected ('key',)"),
        ({"difficult": flags(1, [True])}, "difficult is [False], expected [True]"),
        ({"file_name": "b.jpg"}, "file name is 'a.jpg', expected 'b.jpg'"),
        ({"height": 31}, "size is (40, 30), expected (40, 31)"),
        ({}, None),
    ],
    ids=["box", "no number", "class", "flag", "name", "size", "nothing"],
)
def test_every_kind_of_difference_is_named(tmp_path, change, complaint):
    image = AnnotatedImage("a.jpg", 40, 30, as_boxes([(1, 2, 11, 22)]), ("mug",), flags(1), flags(1))
    job = job_of(tmp_path, [replace(image, **change)])
    found = decode_example(encode_example(image, b"pixels", "jpeg", job.class_ids, source_id="1", sha256="0f"))
    assert _difference(job, 0, found, _Stored("0f", google_crc32c.value(b"pixels"))) == complaint


@pytest.mark.parametrize(
    ("stored", "complaint"),
    [
        (_Stored("0e", google_crc32c.value(b"pixels")), "sha256 is '0f', expected '0e'"),
        (_Stored("0f", 7), f"checksum of the image is {google_crc32c.value(b'pixels')}, expected 7"),
    ],
    ids=["hash", "bytes"],
)
def test_an_image_that_differs_from_the_stored_one_is_named(tmp_path, stored, complaint):
    image = AnnotatedImage("a.jpg", 40, 30, as_boxes([(1, 2, 11, 22)]), ("mug",), flags(1), flags(1))
    job = job_of(tmp_path, [image])
    found = decode_example(encode_example(image, b"pixels", "jpeg", job.class_ids, source_id="1", sha256="0f"))
    assert _difference(job, 0, found, stored) == complaint


def test_a_finished_shard_gives_its_facts_and_is_not_written_again(tmp_path):
    job = job_of(tmp_path, [noise(tmp_path, number) for number in range(3)])
    facts = write_shard(job)
    assert (facts.file, facts.images, facts.boxes) == (job.path.name, 3, 3)
    assert (facts.size, facts.sha256) == (job.path.stat().st_size, sha256_of(job.path))
    assert finished_shard(job.path) == facts
    before = job.path.stat()
    assert write_shard(job) == facts
    assert job.path.stat() == before


def test_a_pickled_job_gives_the_same_bytes(tmp_path):
    job = job_of(tmp_path, [noise(tmp_path, 0)])
    sent = pickle.loads(pickle.dumps(replace(job, path=tmp_path / "sent.tfrecord")))  # noqa: S301 - our own
    assert write_shard(job).sha256 == write_shard(sent).sha256


def test_images_without_a_hash_are_written_again(tmp_path):
    image = replace(noise(tmp_path, 0), sha256="")
    first = write_shard(job_of(tmp_path, [image]))
    (tmp_path / "0.png").unlink()
    Image.new("RGB", (200, 200)).save(tmp_path / "0.png")
    assert write_shard(job_of(tmp_path, [image])).sha256 != first.sha256


def test_partial_files_of_a_killed_process_are_removed(tmp_path):
    job = job_of(tmp_path, [])
    (tmp_path / f".{job.path.name}.4242.partial").write_bytes(b"half a rec")
    write_shard(job)
    assert {path.name for path in tmp_path.iterdir()} == {job.path.name, job.path.with_suffix(".json").name}


def test_a_worker_with_other_code_is_refused(tmp_path):
    with pytest.raises(PipelineError, match=r"train-00000-of-00001\.tfrecord: this worker runs other code"):
        write_shard(replace(job_of(tmp_path, []), code="of last week"))


def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    images = [noise(tmp_path, number) for number in range(30)]
    size = (tmp_path / "0.png").stat().st_size

    def peak(count):
        job = replace(job_of(tmp_path, images[:count]), path=tmp_path / f"{count}.tfrecord")
        tracemalloc.start()
        write_shard(job)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(30) < peak(3) + size
