import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.errors import FormatError
from tasks.tfrecords.tf_example import decode_example, encode_example, read_split, shards_of
from tasks.tfrecords.tfrecord import write_records


def annotated(boxes=((10, 20, 110, 220),), classes=("mug",), width=200, height=400, name="a/ä.jpg"):
    n = len(classes)
    return AnnotatedImage(name, width, height, as_boxes(boxes), tuple(classes), flags(n), flags(n))


def encode(image, content=b"pixels", ids=None):
    return encode_example(
        image,
        content,
        "jpeg",
        ids or {"mug": 1, "Schlüssel": 2},
        source_id="7",
        sha256=hashlib.sha256(content).hexdigest(),
    )


def test_an_example_decodes_to_the_image_that_was_encoded():
    image = annotated([(10, 20, 110, 220), (0, 0, 200, 400)], ("mug", "Schlüssel"))
    image = replace(image, difficult=flags(2, [True, False]), iscrowd=flags(2, [False, True]))
    found = decode_example(encode(image))
    assert found.image.file_name == "a/ä.jpg"
    assert (found.image.width, found.image.height) == (200, 400)
    assert found.image.boxes == pytest.approx(image.boxes, abs=1e-3)
    assert found.image.classes == ("mug", "Schlüssel")
    assert found.image.difficult.tolist() == [True, False]
    assert found.image.iscrowd.tolist() == [False, True]
    assert found.image.sha256 == hashlib.sha256(b"pixels").hexdigest()
    assert (found.encoded, found.image_format, found.source_id, found.class_ids) == (b"pixels", "jpeg", "7", (1, 2))


def test_an_image_without_objects_decodes_to_no_boxes():
    found = decode_example(encode(annotated([], ())))
    assert found.image.boxes.shape == (0, 4)
    assert (found.image.classes, found.class_ids) == ((), ())


@given(
    st.integers(1, 20_000),
    st.integers(1, 20_000),
    st.lists(st.tuples(*[st.floats(0, 1)] * 4), max_size=4),
)
def test_boxes_survive_within_a_thousandth_of_a_pixel(width, height, fractions):
    boxes = as_boxes(fractions) * [width, height, width, height]
    image = annotated(boxes, ("mug",) * len(fractions), width, height)
    assert np.abs(decode_example(encode(image)).image.boxes - boxes).max(initial=0) <= 1e-3


def test_equal_input_gives_equal_bytes():
    assert encode(annotated()) == encode(annotated())


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xff\xff", b"no example at all", encode(annotated())[:-20]],
    ids=["empty", "no protobuf", "text", "cut off"],
)
def test_bytes_that_are_not_an_example_are_refused(content):
    with pytest.raises(FormatError, match=r"not a tf\.train\.Example"):
        decode_example(content)


def test_a_split_is_read_from_all_its_shards_in_order(tmp_path):
    for number in (0, 1):
        payloads = [encode(annotated(name=f"{number}{i}.jpg")) for i in (0, 1)]
        write_records(tmp_path / f"val-0000{number}-of-00002.tfrecord", payloads)
    assert [image.file_name for image in read_split(tmp_path, "val")] == ["00.jpg", "01.jpg", "10.jpg", "11.jpg"]


@pytest.mark.parametrize(
    "names",
    [[], ["val-00000-of-00002.tfrecord"], ["val-00000-of-00001.tfrecord", "val-00001-of-00002.tfrecord"]],
    ids=["none", "one of two", "from two runs"],
)
def test_missing_shards_are_an_error(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(FormatError, match="shards of val are not complete"):
        shards_of(tmp_path, "val")
