"""COCO JSON: round trips, what people bring, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_json import read_coco, read_detections, write_coco, write_detections
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem, flags
from tasks.dataset.detections import Detections
from tasks.errors import FormatError
from tasks.ground import files

CLASSES = ("bird", "cat", "épée à deux mains")
PIXEL = st.integers(-20_000, 200_000).map(lambda tenths: tenths / 10)


@st.composite
def images(draw, name):
    objects = draw(st.lists(st.tuples(st.tuples(PIXEL, PIXEL, PIXEL, PIXEL), st.sampled_from(CLASSES)), max_size=4))
    n = len(objects)
    return AnnotatedImage(
        file_name=name,
        width=draw(st.integers(0, 4000)),
        height=draw(st.integers(0, 4000)),
        boxes=as_boxes([box for box, _ in objects]),
        classes=tuple(name for _, name in objects),
        difficult=flags(n, draw(st.lists(st.booleans(), min_size=n, max_size=n))),
        iscrowd=flags(n, draw(st.lists(st.booleans(), min_size=n, max_size=n))),
        source="annotations/x.xml",
        sha256="ab" * 32,
        slices=draw(st.dictionaries(st.text(max_size=5), st.text(min_size=1, max_size=5), max_size=2)),
    )


def assert_same(a: AnnotatedImage, b: AnnotatedImage) -> None:
    for name in ("file_name", "width", "height", "classes", "source", "sha256", "slices"):
        assert getattr(a, name) == getattr(b, name)
    for name in ("boxes", "difficult", "iscrowd"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_problems_are_read_that_were_written_without_image_and_box(tmp_path):
    path = tmp_path / "x.json"
    row = {"kind": "tiny_box", "file": "a.jpg", "detail": "object 1", "action": "dropped_box"}
    path.write_text(json.dumps({"images": [], "annotations": [], "categories": [], "problems": [row]}))
    assert read_coco(path).problems == (Problem("tiny_box", "a.jpg", "object 1", "dropped_box"),)


@pytest.mark.parametrize("slices", [None, [], [1, 2], "north", {"depth": 3, "plane": ["x"]}])
def test_what_other_tools_call_slices_is_passed_over(tmp_path, slices):
    path = tmp_path / "x.json"
    entry = {"id": 1, "file_name": "a.jpg", "slices": slices}
    path.write_text(json.dumps({"images": [entry], "annotations": [], "categories": []}))
    assert read_coco(path).images[0].slices == {}


@pytest.mark.parametrize("box", [[], [1, 2, 3], "abcd", [1, 2, 3, "x"], 7])
def test_a_problem_with_a_malformed_box_is_refused(tmp_path, box):
    path = tmp_path / "x.json"
    row = {"kind": "k", "file": "f", "detail": "d", "action": "kept", "box": box}
    path.write_text(json.dumps({"images": [], "annotations": [], "categories": [], "problems": [row]}))
    with pytest.raises(FormatError, match="not COCO JSON"):
        read_coco(path)


@given(first=images("a.jpg"), second=images("ünder/b.png"))
def test_a_data_set_is_unchanged_after_writing_and_reading(tmp_path_factory, first, second):
    path = tmp_path_factory.mktemp("coco") / "annotations.json"
    problems = (
        Problem("tiny_box", "a.jpg", "object 1", "dropped_box", box=(1.0, 2.5, 1.0, 2.5)),
        Problem("missing_image", "b.xml", "no image", "dropped_image", image="c.jpg"),
    )
    write_coco(Dataset(Path("../photos"), CLASSES, (first, second), problems), path)
    back = read_coco(path)
    assert (back.root, back.classes, back.problems) == (Path("../photos"), CLASSES, problems)
    for written, read in zip((first, second), back.images, strict=True):
        assert_same(written, read)


def minimal():
    return {
        "images": [{"id": 7, "file_name": "b.jpg"}, {"id": 3, "file_name": "a.jpg", "width": 64, "height": 48}],
        "annotations": [{"id": 1, "image_id": 3, "category_id": 90, "bbox": [10, 20, 30, 5]}],
        "categories": [{"id": 90, "name": "cat"}, {"id": 2, "name": "bird"}],
    }


def test_a_minimal_file_from_elsewhere_is_read(tmp_path):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(minimal()))
    dataset = read_coco(path)
    assert dataset.root == tmp_path
    assert dataset.classes == ("bird", "cat")
    assert [image.file_name for image in dataset.images] == ["a.jpg", "b.jpg"]
    assert dataset.images[0].boxes.tolist() == [[10, 20, 40, 25]]
    assert dataset.images[0].classes == ("cat",)
    assert (dataset.images[1].width, dataset.images[1].classes) == (0, ())
    assert dataset.images[0].source == path.as_posix()


def without(key):
    return {name: value for name, value in minimal().items() if name != key}


def changed(key, **values):
    content = minimal()
    content[key][0] |= values
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (without("images"), "images"),
        (without("annotations"), "annotations"),
        (without("categories"), "categories"),
        (changed("annotations", image_id=99), "annotation 1 refers to no image: 99"),
        (changed("annotations", category_id=1), "annotation 1 refers to no category: 1"),
        (changed("annotations", bbox=[1, 2, 3]), r"annotation 1 of image 3 has the bbox \[1, 2, 3\], not four numbers"),
        ([], "not COCO JSON"),
        (changed("annotations", bbox=[1, 2, 3, 10**400]), "too large"),
        (changed("images", id=[1]), r"entry 1 of images: id is \[1\]"),
        (changed("annotations", image_id=-1), "annotation 1 refers to no image: -1"),
    ],
    ids=[
        "images", "annotations", "categories", "no such image", "no such category", "bbox", "a list",
        "huge number", "id", "negative id",
    ],
)  # fmt: skip
def test_content_that_is_not_coco_is_refused_with_the_file_and_the_entry(tmp_path, content, message):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(content))
    with pytest.raises(FormatError, match=message) as error:
        read_coco(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("width", ["wide", -64, [64], None, True, 10**300], ids=str)
def test_a_width_that_no_image_has_is_unknown(tmp_path, width):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(changed("images", width=width)))
    assert [image.width for image in read_coco(path).images] == [64, 0]


def test_two_images_with_one_id_are_refused(tmp_path):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(changed("images", id=3)))
    with pytest.raises(FormatError, match="two of images have the id 3"):
        read_coco(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe\x00", b"name,xmin", b"9" * 5000],
    ids=["empty", "cut", "binary", "csv", "digits"],
)
def test_content_that_is_not_json_is_refused(tmp_path, content):
    path = tmp_path / "instances.json"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="not a JSON file"):
        read_coco(path)


def test_a_file_that_is_nested_too_deeply_is_refused(tmp_path):
    path = tmp_path / "instances.json"
    path.write_text('{"images": ' + "[" * 100_000)
    with pytest.raises(FormatError, match="nested too deeply"):
        read_coco(path)


def test_a_file_over_the_size_limit_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_JSON_BYTES", 20)
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(minimal()))
    with pytest.raises(FormatError, match="at most 20"):
        read_coco(path)


def test_equal_data_sets_give_equal_bytes(tmp_path):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(minimal()))
    write_coco(read_coco(path), tmp_path / "one.json")
    write_coco(read_coco(path), tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def detections(*rows):
    return Detections(
        as_boxes([row[0] for row in rows]),
        tuple(row[1] for row in rows),
        np.array([row[2] for row in rows], dtype=float),
    )


@pytest.fixture
def two_images(tmp_path):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(minimal()))
    return read_coco(path)


def test_detections_are_unchanged_after_writing_and_reading(tmp_path, two_images):
    path = tmp_path / "detections.json"
    found = [detections(), detections(([1, 2, 3.5, 4], "cat", 0.9), ([0, 0, 1, 1], "bird", 0.25))]
    write_detections(found, two_images, path)
    none, two = read_detections(path, two_images)
    assert none.classes == ()
    assert two.classes == ("cat", "bird")
    np.testing.assert_allclose(two.boxes, found[1].boxes)
    assert two.scores.tolist() == [0.9, 0.25]


@pytest.mark.parametrize(
    "rows",
    [
        [{"image_id": 3, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.5}],
        [{"image_id": 1, "category_id": 3, "bbox": [0, 0, 1, 1], "score": 0.5}],
        [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1], "score": 0.5}],
        [{"image_id": 1}],
        {"detections": []},
    ],
    ids=["another image", "another class", "bbox", "keys", "not a list"],
)
def test_detections_of_another_data_set_are_refused(tmp_path, two_images, rows):
    path = tmp_path / "detections.json"
    path.write_text(json.dumps(rows))
    with pytest.raises(FormatError, match="not detections of these 2 images"):
        read_detections(path, two_images)


def test_an_unknown_split_is_read_as_no_split(tmp_path):
    path = tmp_path / "a.json"
    images = [{"id": i, "file_name": f"{i}.jpg", "given_split": part} for i, part in enumerate(["test", "tets", None])]
    path.write_text(json.dumps({"images": images, "annotations": [], "categories": []}), encoding="utf-8")
    assert [image.given_split for image in read_coco(path).images] == ["test", "", ""]
