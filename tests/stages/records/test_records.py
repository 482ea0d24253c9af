"""Stage records: what the shards hold, and which images are refused."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest

from tasks.dataset.boxes import to_tf
from tasks.dataset.coco_json import write_coco
from tasks.dataset.dataset import Dataset
from tasks.dataset.split_files import split_file
from tasks.errors import DataError
from tasks.ground.files import sha256_of
from tasks.model.label_map import read_label_map
from tasks.params import RecordsParams
from tasks.stages.records import records
from tasks.tfrecords.tf_example import decode_example, read_split
from tasks.tfrecords.tfrecord import read_records
from tests.stages.records.small_splits import CLASSES, annotated, run, save, write_splits, written


def test_shards_label_map_and_index_are_written(root):
    images = [annotated(root, f"{i}.jpg") for i in range(5)]
    figures = run(root, train=images[:3], val=images[3:4], test=images[4:])
    folder = root.parent / "records"
    shards = ["test-00000-of-00001", "train-00000-of-00002", "train-00001-of-00002", "val-00000-of-00001"]
    assert sorted(path.stem for path in folder.glob("*.tfrecord")) == shards
    assert read_label_map(folder / "label_map.pbtxt") == CLASSES
    assert figures == {"train": 3, "val": 1, "test": 1, "boxes": 10, "shards": 4, "re_encoded": 0, "resized": 0}
    index = json.loads((folder / "index.json").read_text())
    assert (index["train"]["images"], index["train"]["boxes"]) == (3, 6)
    last = folder / "train-00001-of-00002.tfrecord"
    assert index["train"]["shards"][1] == {
        "file": last.name,
        "images": 1,
        "boxes": 2,
        "re_encoded": 0,
        "resized": 0,
        "size": last.stat().st_size,
        "sha256": sha256_of(last),
    }


def test_the_shards_hold_the_images_and_boxes_of_the_split(root):
    images = [annotated(root, "0.jpg"), annotated(root, "1.jpg", boxes=()), annotated(root, "2.png", format="PNG")]
    run(root, train=images)
    shards = sorted((root.parent / "records").glob("train-*"))
    found = [decode_example(payload) for shard in shards for payload in read_records(shard)]
    assert [(one.image.file_name, one.source_id, one.image_format) for one in found] == [
        ("0.jpg", "1", "jpeg"),
        ("1.jpg", "2", "jpeg"),
        ("2.png", "3", "png"),
    ]
    assert [one.encoded for one in found] == [(root / image.file_name).read_bytes() for image in images]
    assert found[0].image.boxes == pytest.approx(images[0].boxes, abs=1e-3)
    assert (found[0].class_ids, found[0].image.difficult.tolist()) == ((2, 1), [True, False])


def test_the_bytes_are_the_same_whatever_the_number_of_workers(root):
    images = [annotated(root, f"{i}.jpg") for i in range(20)] + [annotated(root, "grey.bmp", mode="L")]
    results = []
    for workers in (1, 2, 7, None):
        figures = run(root, workers=workers, max_side_px=32, train=images)
        results.append(written(root))
    assert figures["resized"] == figures["re_encoded"] == 21
    assert all(result == results[0] for result in results)


def test_a_large_image_and_its_boxes_are_scaled_and_a_small_one_is_unchanged(root):
    large = annotated(root, "large.jpg", size=(100, 50), boxes=[(10, 20, 60, 50)])
    small = annotated(root, "small.jpg", size=(64, 64))
    figures = run(root, max_side_px=64, train=[large, small])
    assert (figures["resized"], figures["re_encoded"]) == (1, 1)
    assert json.loads(written(root)["index.json"])["train"]["shards"][0]["resized"] == 1
    first, second = read_split(root.parent / "records", "train")
    assert (first.width, first.height) == (64, 32)
    assert first.boxes == pytest.approx(np.array([[6.4, 12.8, 38.4, 32.0]]), abs=1e-4)
    assert (second.width, second.sha256) == (64, small.sha256)


def test_a_split_without_images_has_one_empty_shard(root):
    figures = run(root, train=[annotated(root, "0.jpg")])
    assert (root.parent / "records" / "val-00000-of-00001.tfrecord").read_bytes() == b""
    assert read_split(root.parent / "records", "val") == ()
    assert (figures["val"], figures["shards"]) == (0, 3)


@pytest.mark.parametrize("name", ["../outside.jpg", "a/../../outside.jpg"])
def test_an_image_outside_the_root_is_refused(root, name):
    (root / "a").mkdir()
    image = annotated(root, "../outside.jpg")
    image = replace(image, file_name=name)
    with pytest.raises(DataError, match=r"outside\.jpg: lies outside"):
        run(root, train=[image])
    assert not (root.parent / "records").exists()


def test_a_link_out_of_the_root_is_refused(root):
    image = annotated(root, "../outside.jpg")
    (root / "link.jpg").symlink_to(root.parent / "outside.jpg")
    with pytest.raises(DataError, match=r"link\.jpg: lies outside"):
        run(root, train=[replace(image, file_name="link.jpg")])


def test_an_image_that_changed_since_it_was_validated_is_refused(root):
    image = annotated(root, "0.jpg")
    save(root, "0.jpg", quality=10)
    with pytest.raises(DataError, match=r"0\.jpg: has changed"):
        run(root, train=[image])


def test_a_missing_image_is_refused(root):
    image = annotated(root, "0.jpg")
    (root / "0.jpg").unlink()
    with pytest.raises(DataError, match=r"0\.jpg: no such file"):
        run(root, train=[image])


def test_an_image_of_another_size_than_annotated_is_refused(root):
    image = replace(annotated(root, "0.jpg"), width=80)
    with pytest.raises(DataError, match=r"40 x 30 pixels, but its annotation \(a\.xml\) says 80 x 30"):
        run(root, train=[image])


def test_splits_from_two_runs_are_refused(root):
    params = RecordsParams(images_per_shard=1, max_side_px=None, workers=1, scheduler=None)
    write_splits(root, {}, root.parent / "splits")
    write_coco(Dataset(root, ("mug",), ()), split_file(root.parent / "splits", "val"))
    with pytest.raises(DataError, match=r"val\.json: its classes are mug"):
        records(params, splits=root.parent / "splits", records=root.parent / "r", records_resume=root.parent / "p")


def test_a_box_that_float32_cannot_hold_is_refused_and_no_records_are_left(root):
    with pytest.raises(DataError, match=r"0\.jpg does not read back as it was meant: a box is off by 0\.00"):
        run(root, train=[annotated(root, "0.jpg", boxes=[(0, 0, 123_456.789, 20)])])
    assert not (root.parent / "records").exists()
    assert sorted(path.name for path in root.parent.iterdir()) == ["images", "records.partial", "splits"]


def test_tensorflow_reads_the_same_values(root):
    images = [annotated(root, f"{i}.jpg") for i in range(3)]
    run(root, train=images)
    with warnings.catch_warnings():
        # TensorFlow's own imports use what newer versions of their libraries call deprecated.
        warnings.simplefilter("ignore")
        import tensorflow as tf  # noqa: PLC0415 - 10 s that only this test needs
    lists = {f"image/object/bbox/{side}": tf.float32 for side in ("ymin", "xmin", "ymax", "xmax")}
    lists |= {f"image/object/{key}": tf.int64 for key in ("class/label", "difficult", "is_crowd")}
    lists["image/object/class/text"] = tf.string
    single = {"image/height": tf.int64, "image/width": tf.int64}
    single |= {f"image/{key}": tf.string for key in ("filename", "source_id", "key/sha256", "encoded", "format")}
    features = {key: tf.io.VarLenFeature(kind) for key, kind in lists.items()}
    features |= {key: tf.io.FixedLenFeature([], kind) for key, kind in single.items()}
    shards = sorted(str(path) for path in (root.parent / "records").glob("train-*"))
    found = [tf.io.parse_single_example(payload, features) for payload in tf.data.TFRecordDataset(shards)]
    assert len(found) == len(images)
    for number, (example, image) in enumerate(zip(found, images, strict=True), start=1):
        listed = {key: tf.sparse.to_dense(example[key]).numpy().tolist() for key in lists}
        sides = [listed[f"image/object/bbox/{side}"] for side in ("ymin", "xmin", "ymax", "xmax")]
        assert np.transpose(sides) == pytest.approx(to_tf(image.boxes, height=30, width=40), abs=1e-7)
        assert listed["image/object/class/text"] == [b"mug", b"key"]
        assert listed["image/object/class/label"] == [2, 1]
        assert (listed["image/object/difficult"], listed["image/object/is_crowd"]) == ([1, 0], [0, 0])
        assert (int(example["image/height"]), int(example["image/width"])) == (30, 40)
        assert example["image/source_id"].numpy() == str(number).encode()
        assert example["image/filename"].numpy() == image.file_name.encode()
        assert example["image/key/sha256"].numpy() == image.sha256.encode()
        assert example["image/format"].numpy() == b"jpeg"
        assert tf.io.decode_jpeg(example["image/encoded"]).shape == (30, 40, 3)
