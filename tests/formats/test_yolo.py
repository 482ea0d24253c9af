"""YOLO labels: round trips, the layouts people bring, and rows that cannot be read."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dataset.boxes import as_boxes, from_fractions
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.errors import FormatError
from tasks.formats import yolo
from tasks.formats.yolo import read_yolo
from tasks.formats.yolo_labels import label_files
from tasks.formats.yolo_names import read_names
from tasks.formats.yolo_writing import write_yolo
from tests.formats.yolo_folder import labelled, make

PIXEL = st.one_of(
    st.integers(-100, 9000).map(float),
    st.integers(-100_000_000, 9_000_000_000).map(lambda millionths: millionths / 1_000_000),
)


def dataset(*images, classes=("cat", "dog"), root="photos"):
    return Dataset(Path(root), classes, images)


def image(name, *objects, size=(64, 48)):
    n, (width, height) = len(objects), size
    boxes = as_boxes([box for _, box in objects])
    return AnnotatedImage(name, width, height, boxes, tuple(name for name, _ in objects), flags(n), flags(n))


@given(
    objects=st.lists(st.tuples(st.sampled_from(["cat", "dog"]), st.tuples(PIXEL, PIXEL, PIXEL, PIXEL)), max_size=4),
    width=st.integers(1000, 100_000),
    height=st.integers(1000, 100_000),
)
def test_boxes_are_exact_to_a_millionth_of_a_pixel_after_writing_and_reading(tmp_path_factory, objects, width, height):
    folder = tmp_path_factory.mktemp("yolo") / "out"
    write_yolo(dataset(image("sub/x.jpg", *objects, size=(width, height))), folder)
    (back,), problems, classes = read_yolo(folder)
    assert (problems, classes) == ([], ("cat", "dog"))
    assert back.classes == tuple(name for name, _ in objects)
    assert back.source == (folder / "labels/sub/x.txt").as_posix()
    boxes = np.round(from_fractions(back.boxes, height=height, width=width), 6)
    np.testing.assert_array_equal(boxes, as_boxes([box for _, box in objects]))


def test_the_written_files_have_the_layout_that_other_tools_read(tmp_path):
    write_yolo(dataset(image("a.jpg", ("dog", [16, 12, 48, 36])), image("b.jpg"), root=tmp_path), tmp_path / "out")
    assert (tmp_path / "out/labels/a.txt").read_text().split() == ["1", *["0.500000000000"] * 4]
    assert (tmp_path / "out/labels/b.txt").read_text() == ""
    assert (tmp_path / "out/classes.txt").read_text() == "cat\ndog\n"
    message = f"train: {tmp_path.as_posix()}\nval: {tmp_path.as_posix()}\nnames:\n  0: cat\n  1: dog\n"
    assert (tmp_path / "out/data.yaml").read_text() == message
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["classes.txt", "data.yaml", "labels"]


def test_images_are_copied_on_request(tmp_path):
    make(tmp_path, {"photos/sub/a.jpg": "pixels"})
    write_yolo(dataset(image("sub/a.jpg"), root=tmp_path / "photos"), tmp_path / "out", copy_images=True)
    assert (tmp_path / "out/images/sub/a.jpg").read_text() == "pixels"
    assert "train: images\n" in (tmp_path / "out/data.yaml").read_text()


@pytest.mark.parametrize("names", [("no", "1", "null", "épée", "a: b", "*x")], ids=["what YAML would read otherwise"])
def test_names_are_unchanged_after_writing_and_reading(tmp_path, names):
    write_yolo(dataset(classes=names), tmp_path / "out")
    assert read_names(tmp_path / "out") == dict(enumerate(names))


@pytest.mark.parametrize(
    ("images", "classes", "message"),
    [
        (["a.jpg", "a.png"], ("cat",), "a.jpg and a.png would share the annotation file"),
        (["a.jpg", "A.jpg"], ("cat",), "a.jpg and A.jpg would share the annotation file"),
        (["classes.jpg"], ("cat",), "would be read as the list of classes"),
        (["a.jpg"], ("two\nlines",), "remove the line break"),
    ],
    ids=["extensions", "case", "classes", "line break"],
)
def test_content_that_yolo_cannot_hold_is_refused_and_leaves_no_files(tmp_path, images, classes, message):
    with pytest.raises(FormatError, match=message):
        write_yolo(dataset(*map(image, images), classes=classes), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_image_without_a_size_cannot_be_written(tmp_path):
    with pytest.raises(FormatError, match=r"a\.jpg: its size is not known"):
        write_yolo(dataset(image("a.jpg", ("cat", [1, 2, 3, 4]), size=(0, 0))), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("row", "box"),
    [
        ("1 0.5 0.5 0.5 0.25", [0.25, 0.375, 0.75, 0.625]),
        ("1.0\t0.5  0.5 0.5 0.25\r", [0.25, 0.375, 0.75, 0.625]),
        ("1 0.5 0.5 0.5 0.25 0.93", [0.25, 0.375, 0.75, 0.625]),
        ("\ufeff1 5e-1 .5 0.5 0.25", [0.25, 0.375, 0.75, 0.625]),
        ("1 0.75 0.5 1 0.25", [0.25, 0.375, 1.25, 0.625]),
    ],
    ids=["plain", "float class and blanks", "confidence", "BOM", "leaves the image"],
)
def test_a_row_is_read_as_a_box_in_fractions(tmp_path, row, box):
    (read,), problems, _ = read_yolo(labelled(tmp_path, f"{row}\n\n"))
    assert problems == []
    assert read.classes == ("dog",)
    assert read.boxes.tolist() == [box]
    assert (read.file_name, read.width, read.height) == ("", 0, 0)


@given(rows=st.lists(st.text(st.sampled_from("0123456789.-+eEnaif_ \t\x85\u2028٣"), max_size=30), max_size=5))
def test_any_row_is_an_object_or_a_problem_or_stops_for_its_two_meanings(tmp_path_factory, rows):
    folder = labelled(tmp_path_factory.mktemp("yolo"), "\n".join(rows))
    try:
        (read,), problems, _ = read_yolo(folder)
    except FormatError:
        return
    assert len(read.classes) == sum(bool(row.split()) for row in rows)
    unread = sum(problem.action == "dropped_box" for problem in problems)
    assert np.isnan(read.boxes).all(axis=1).sum() == np.isnan(read.boxes).any(axis=1).sum() == unread


def test_a_polygon_gives_the_box_around_it_and_is_reported(tmp_path):
    (read,), problems, _ = read_yolo(labelled(tmp_path, "0 0.5 0.125 0.75 0.5 0.25 0.25\n"))
    assert read.boxes.tolist() == [[0.25, 0.125, 0.75, 0.5]]
    assert [(p.kind, p.action) for p in problems] == [("enclosing_box", "kept")]
    assert problems[0].detail == "object 1 (cat): a polygon of 3 points; the box around it is used"


def test_an_empty_file_is_an_image_without_objects(tmp_path):
    (read,), problems, _ = read_yolo(labelled(tmp_path, ""))
    assert (read.classes, read.boxes.shape, problems) == ((), (0, 4), [])


@pytest.mark.parametrize(
    ("row", "kind", "message"),
    [
        ("0 0.5 0.5 0.5", "unreadable_object", "4 values"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3 0.4", "unreadable_object", "8 values"),
        ("0 0.5 0.5 nan 0.5", "unreadable_object", "'nan' is not a number"),
        ("0 0.5 0.5 1e400 0.5", "unreadable_object", "'1e400' is not a number"),
        (f"0 0.5 0.5 {'9' * 5000} 0.5", "unreadable_object", "is not a number"),
        ("0 0.5 0.5 half 0.5", "unreadable_object", "'half' is not a number"),
        ("0 320 240 100 50", "unreadable_object", "320 is no fraction"),
        ("cat 0.5 0.5 0.5 0.5", "unknown_class", "class cat"),
        ("2 0.5 0.5 0.5 0.5", "unknown_class", "class 2: the classes' names are numbered 0 to 1"),
        ("-1 0.5 0.5 0.5 0.5", "unknown_class", "class -1"),
        ("0.5 0.5 0.5 0.5 0.5", "unknown_class", "class 0.5"),
        (f"{'9' * 5000} 0.5 0.5 0.5 0.5", "unknown_class", "class 999"),
    ],
    ids=[
        "too few", "even polygon", "nan", "infinite", "digits", "word", "pixels", "name", "out of range", "negative",
        "fraction", "huge class",
    ],
)  # fmt: skip
def test_an_unreadable_row_is_a_problem_with_its_line_and_the_others_are_read(tmp_path, row, kind, message):
    folder = labelled(tmp_path, f"0 0.5 0.5 0.5 0.5\n\n{row}\n")
    (read,), problems, _ = read_yolo(folder)
    assert np.isnan(read.boxes).all(axis=1).tolist() == [False, True]
    assert [(p.kind, p.file, p.action) for p in problems] == [
        (kind, f"{(folder / 'labels/a.txt').as_posix()}:3", "dropped_box")
    ]
    assert message in problems[0].detail
    assert len(problems[0].detail) < 300


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe0 0.5", "not text in UTF-8"), (b"0 " * 2000, "at most 1000")],
    ids=["not UTF-8", "huge"],
)
def test_an_unreadable_label_file_is_a_problem_and_the_others_are_read(tmp_path, monkeypatch, content, message):
    monkeypatch.setattr(yolo, "MAX_LABEL_BYTES", 1000)
    folder = make(tmp_path, {"classes.txt": "cat", "labels/a.txt": content, "labels/b.txt": "0 0.5 0.5 0.5 0.5"})
    images, problems, _ = read_yolo(folder)
    assert [image.source for image in images] == [(folder / "labels/b.txt").as_posix()]
    assert [(p.kind, p.action) for p in problems] == [("unreadable_annotation", "dropped_image")]
    assert message in problems[0].detail


def test_a_label_file_of_more_rows_than_an_image_has_objects_is_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(yolo, "MAX_OBJECTS", 2)
    row = "0 0.5 0.5 0.5 0.5\n"
    images, problems, _ = read_yolo(
        make(tmp_path, {"classes.txt": "cat", "labels/a.txt": row * 2, "labels/b.txt": row * 3})
    )
    assert [len(image.boxes) for image in images] == [2]
    assert [(p.kind, p.action) for p in problems] == [("unreadable_annotation", "dropped_image")]
    assert "b.txt: more than 2 rows" in problems[0].detail


def test_a_broken_link_is_a_problem(tmp_path):
    folder = labelled(tmp_path, "")
    (folder / "labels/b.txt").symlink_to(tmp_path / "nowhere")
    assert [p.kind for p in read_yolo(folder)[1]] == ["unreadable_annotation"]


@pytest.mark.parametrize(
    ("files", "labels"),
    [
        (["labels/train/a.txt", "labels/b.txt", "notes.txt"], ["labels/b.txt", "labels/train/a.txt"]),
        (["train/labels/a.txt", "valid/labels/a.txt"], ["train/labels/a.txt", "valid/labels/a.txt"]),
        (["a.txt", "a.jpg", "sub/b.txt"], ["a.txt", "sub/b.txt"]),
        (["a.txt", "README.txt", "README.dataset.txt", "train.txt", "LICENSE.txt"], ["a.txt"]),
        (["a.txt", "test.txt", "test.jpg"], ["a.txt", "test.txt"]),
        (["labels/train.txt", "labels/classes.txt", "labels/._a.txt"], ["labels/train.txt"]),
    ],
    ids=["labels", "Roboflow", "beside the images", "lists and notes", "an image called test", "in labels"],
)
def test_label_files_are_found_in_labels_folders_else_beside_images(tmp_path, files, labels):
    folder = make(tmp_path / "data", dict.fromkeys([*files, "classes.txt"], ""))
    assert [path.relative_to(folder).as_posix() for path in label_files(folder)] == labels


def test_cvats_yolo_export_is_read(tmp_path):
    files = {
        "obj.names": "cat\ndog\n",
        "obj.data": "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n",
        "train.txt": "data/obj_train_data/a.jpg\n",
        "obj_train_data/a.txt": "1 0.5 0.5 0.5 0.5\n",
    }
    folder = make(tmp_path, files)
    (folder / "obj_train_data/a.jpg").touch()
    images, problems, classes = read_yolo(folder)
    assert [image.classes for image in images] == [("dog",)]
    assert (problems, classes) == ([], ("cat", "dog"))
