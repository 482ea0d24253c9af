import io
import json
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from tasks.annotation.boxes import as_boxes, to_tf
from tasks.annotation.dataset import AnnotatedImage, Dataset, flags
from tasks.errors import DataError
from tasks.files import sha256_of
from tasks.formats.coco import write_coco
from tasks.formats.label_map import read_label_map
from tasks.formats.tf_example import decode_example, encode_example, read_part
from tasks.formats.tfrecord import read_records
from tasks.params import RecordsParams
from tasks.records import _difference, encoded_image, records

CLASSES = ("key", "mug")


def save(folder, name, mode="RGB", size=(40, 30), **options):
    path = folder / name
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(path, **options)
    return path


def rgb16_png(width, height, value):
    """Pillow writes none, but reads them as if they had 8 bits."""
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + struct.pack(">H", value) * 3 * width) * height)
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def annotated(folder, name, boxes=((1.25, 2, 11, 22), (0, 0, 40, 30)), size=(40, 30), **options):
    path = save(folder, name, size=size, **options)
    n = len(boxes)
    classes = ("mug", "key")[:n]
    return AnnotatedImage(
        name, *size, as_boxes(boxes), classes, flags(n, [True, False][:n]), flags(n), "a.xml", sha256_of(path)
    )


def write_splits(folder, images, splits):
    for part in ("train", "val", "test"):
        write_coco(Dataset(folder, CLASSES, tuple(images.get(part, ()))), splits / f"{part}.json")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "images").mkdir()
    return tmp_path / "images"


def run(root, images_per_shard=2, **images):
    write_splits(root, images, root.parent / "splits")
    return records(
        RecordsParams(images_per_shard=images_per_shard), splits=root.parent / "splits", records=root.parent / "records"
    )


def test_shards_label_map_and_index_are_written(root):
    images = [annotated(root, f"{i}.jpg") for i in range(5)]
    figures = run(root, train=images[:3], val=images[3:4], test=images[4:])
    written = root.parent / "records"
    shards = ["test-00000-of-00001", "train-00000-of-00002", "train-00001-of-00002", "val-00000-of-00001"]
    assert sorted(path.stem for path in written.glob("*.tfrecord")) == shards
    assert read_label_map(written / "label_map.pbtxt") == CLASSES
    assert figures == {"train": 3, "val": 1, "test": 1, "boxes": 10, "shards": 4, "re_encoded": 0}
    index = json.loads((written / "index.json").read_text())
    assert (index["train"]["images"], index["train"]["boxes"]) == (3, 6)
    last = written / "train-00001-of-00002.tfrecord"
    assert index["train"]["shards"][1] == {"file": last.name, "images": 1, "boxes": 2, "sha256": sha256_of(last)}


def test_the_records_hold_the_images_and_boxes_of_the_split(root):
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


def test_a_second_run_writes_the_same_bytes(root):
    images = [annotated(root, f"{i}.jpg") for i in range(20)] + [annotated(root, "grey.bmp", mode="L")]

    def written():
        run(root, train=images)
        return {path.name: sha256_of(path) for path in (root.parent / "records").iterdir()}

    assert written() == written()


def test_a_part_without_images_has_one_empty_shard(root):
    figures = run(root, train=[annotated(root, "0.jpg")])
    assert (root.parent / "records" / "val-00000-of-00001.tfrecord").read_bytes() == b""
    assert read_part(root.parent / "records", "val") == ()
    assert (figures["val"], figures["shards"]) == (0, 3)


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("a.jpg", {}, "jpeg"),
        ("a.jpeg", {"progressive": True}, "jpeg"),
        ("a.png", {}, "png"),
        ("a.jpg", {"format": "PNG"}, "png"),
    ],
    ids=["JPEG", "progressive JPEG", "PNG", "PNG called jpg"],
)
def test_what_tensorflow_reads_as_rgb_is_stored_as_it_is(root, name, options, kind):
    path = save(root, name, **options)
    assert encoded_image(path) == (path.read_bytes(), kind, (40, 30))


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("a.jpg", "L", {}),
        ("a.jpg", "CMYK", {}),
        ("a.jpg", "RGBA", {"format": "PNG"}),
        ("a.png", "P", {}),
        ("a.png", "L", {}),
        ("a.png", "1", {}),
        ("a.png", "I;16", {}),
        ("a.png", "RGB", {"transparency": (1, 2, 3)}),
        ("a.bmp", "RGB", {}),
        ("a.gif", "P", {}),
        ("a.webp", "RGB", {"lossless": True}),
        ("a.tif", "RGB", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_anything_else_is_stored_as_an_rgb_jpeg_of_the_same_picture(root, name, mode, options):
    path = save(root, name, "L" if mode == "I;16" else mode, **options)
    if mode == "I;16":
        Image.fromarray(np.full((30, 40), 0x8000, dtype=np.uint16)).save(path)
    content, kind, size = encoded_image(path)
    assert (kind, size) == ("jpeg", (40, 30))
    with Image.open(io.BytesIO(content)) as stored, Image.open(path) as source:
        assert (stored.format, stored.mode) == ("JPEG", "RGB")
        expected = np.full((30, 40, 3), 128) if mode == "I;16" else np.asarray(source.convert("RGB")).astype(int)
        assert np.abs(np.asarray(stored).astype(int) - expected).mean() < 6


def test_a_png_of_16_bits_a_channel_is_reduced_to_8(root):
    path = root / "deep.png"
    path.write_bytes(rgb16_png(2, 2, 0x8040))
    content, kind, size = encoded_image(path)
    assert (kind, size) == ("jpeg", (2, 2))
    with Image.open(io.BytesIO(content)) as stored:
        assert np.abs(np.asarray(stored).astype(int) - 128).max() <= 3


@pytest.mark.parametrize("name", ["../outside.jpg", "a/../../outside.jpg"])
def test_an_image_outside_the_root_is_refused(root, name):
    (root / "a").mkdir()
    image = annotated(root, "../outside.jpg")
    image = AnnotatedImage(**{**vars(image), "file_name": name})
    with pytest.raises(DataError, match=r"outside\.jpg: lies outside"):
        run(root, train=[image])
    assert not (root.parent / "records").exists()


def test_a_link_that_leads_out_of_the_root_is_refused(root):
    image = annotated(root, "../outside.jpg")
    (root / "link.jpg").symlink_to(root.parent / "outside.jpg")
    with pytest.raises(DataError, match=r"link\.jpg: lies outside"):
        run(root, train=[AnnotatedImage(**{**vars(image), "file_name": "link.jpg"})])


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


def test_a_wrong_size_is_refused_because_boxes_would_be_scaled_by_it(root):
    image = AnnotatedImage(**{**vars(annotated(root, "0.jpg")), "width": 80})
    with pytest.raises(DataError, match=r"40 x 30 pixels, but its annotation \(a\.xml\) says 80 x 30"):
        run(root, train=[image])


def test_splits_from_two_runs_are_refused(root):
    write_splits(root, {}, root.parent / "splits")
    write_coco(Dataset(root, ("mug",), ()), root.parent / "splits" / "val.json")
    with pytest.raises(DataError, match=r"val\.json: its classes are mug"):
        records(RecordsParams(images_per_shard=1), splits=root.parent / "splits", records=root.parent / "records")


def test_a_box_that_float32_cannot_hold_is_noticed_on_reading_back_and_nothing_is_left(root):
    with pytest.raises(DataError, match=r"0\.jpg does not read back as it was meant: a box is off by 0\.00"):
        run(root, train=[annotated(root, "0.jpg", boxes=[(0, 0, 123_456.789, 20)])])
    assert not (root.parent / "records").exists()
    assert sorted(path.name for path in root.parent.iterdir()) == ["images", "splits"]


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
def test_every_kind_of_difference_is_told(change, complaint):
    image = AnnotatedImage("a.jpg", 40, 30, as_boxes([(1, 2, 11, 22)]), ("mug",), flags(1), flags(1))
    ids = {"key": 1, "mug": 2}
    found = decode_example(encode_example(image, b"pixels", "jpeg", ids, source_id="1"))
    assert _difference(found, AnnotatedImage(**{**vars(image), **change}), "1", ids) == complaint


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
