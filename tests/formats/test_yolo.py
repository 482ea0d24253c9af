"""YOLO labels: round trips, the layouts people bring, rows that cannot be read, and hostile files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.annotation.boxes import as_boxes, from_fractions
from tasks.annotation.dataset import AnnotatedImage, Dataset, flags
from tasks.errors import FormatError
from tasks.formats import yolo
from tasks.formats.yolo import is_yolo_folder, label_files, read_names, read_yolo, write_yolo

# Hypothesis reads the project's sources before its first example, which takes seconds on a busy machine.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

PIXEL = st.one_of(
    st.integers(-100, 9000).map(float),
    st.integers(-100_000_000, 9_000_000_000).map(lambda millionths: millionths / 1_000_000),
)


def make(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def labelled(tmp_path, rows, names="cat\ndog\n"):
    return make(tmp_path / "data", {"classes.txt": names, "labels/a.txt": rows})


def dataset(*images, classes=("cat", "dog"), root="photos"):
    return Dataset(Path(root), classes, images)


def image(name, *objects, size=(64, 48)):
    n = len(objects)
    boxes = as_boxes([box for _, box in objects])
    return AnnotatedImage(name, *size, boxes, tuple(name for name, _ in objects), flags(n), flags(n))


@patient
@given(
    objects=st.lists(st.tuples(st.sampled_from(["cat", "dog"]), st.tuples(PIXEL, PIXEL, PIXEL, PIXEL)), max_size=4),
    width=st.integers(1000, 100_000),
    height=st.integers(1000, 100_000),
)
def test_boxes_come_back_to_a_millionth_of_a_pixel(tmp_path_factory, objects, width, height):
    folder = tmp_path_factory.mktemp("yolo") / "out"
    write_yolo(dataset(image("sub/x.jpg", *objects, size=(width, height))), folder)
    (back,), problems, classes = read_yolo(folder)
    assert (problems, classes) == ([], ("cat", "dog"))
    assert back.classes == tuple(name for name, _ in objects)
    assert back.source == (folder / "labels/sub/x.txt").as_posix()
    boxes = np.round(from_fractions(back.boxes, height=height, width=width), 6)
    np.testing.assert_array_equal(boxes, as_boxes([box for _, box in objects]))


def test_what_is_written_is_what_other_tools_read(tmp_path):
    write_yolo(dataset(image("a.jpg", ("dog", [16, 12, 48, 36])), image("b.jpg"), root=tmp_path), tmp_path / "out")
    assert (tmp_path / "out/labels/a.txt").read_text().split() == ["1", *["0.500000000000"] * 4]
    assert (tmp_path / "out/labels/b.txt").read_text() == ""
    assert (tmp_path / "out/classes.txt").read_text() == "cat\ndog\n"
    said = f"train: {tmp_path.as_posix()}\nval: {tmp_path.as_posix()}\nnames:\n  0: cat\n  1: dog\n"
    assert (tmp_path / "out/data.yaml").read_text() == said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["classes.txt", "data.yaml", "labels"]


def test_images_are_copied_where_asked(tmp_path):
    make(tmp_path, {"photos/sub/a.jpg": "pixels"})
    write_yolo(dataset(image("sub/a.jpg"), root=tmp_path / "photos"), tmp_path / "out", copy_images=True)
    assert (tmp_path / "out/images/sub/a.jpg").read_text() == "pixels"
    assert "train: images\n" in (tmp_path / "out/data.yaml").read_text()


@pytest.mark.parametrize("names", [("no", "1", "null", "épée", "a: b", "*x")], ids=["what YAML would read otherwise"])
def test_names_come_back_as_they_are(tmp_path, names):
    write_yolo(dataset(classes=names), tmp_path / "out")
    assert read_names(tmp_path / "out") == dict(enumerate(names))


@pytest.mark.parametrize(
    ("images", "classes", "said"),
    [
        (["a.jpg", "a.png"], ("cat",), "a.jpg and a.png would have one annotation file"),
        (["a.jpg", "A.jpg"], ("cat",), "a.jpg and A.jpg would have one annotation file"),
        (["classes.jpg"], ("cat",), "would be taken for the list of classes"),
        (["a.jpg"], ("two\nlines",), "take the line break out"),
    ],
    ids=["extensions", "case", "classes", "line break"],
)
def test_what_yolo_cannot_hold_is_refused_and_leaves_nothing(tmp_path, images, classes, said):
    with pytest.raises(FormatError, match=said):
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
def test_a_row_is_read(tmp_path, row, box):
    (read,), problems, _ = read_yolo(labelled(tmp_path, f"{row}\n\n"))
    assert problems == []
    assert read.classes == ("dog",)
    assert read.boxes.tolist() == [box]
    assert (read.file_name, read.width, read.height) == ("", 0, 0)


@patient
@given(rows=st.lists(st.text(st.sampled_from("0123456789.-+eEnaif_ \t\x85\u2028٣"), max_size=30), max_size=5))
def test_whatever_a_row_says_is_an_object_or_a_problem(tmp_path_factory, rows):
    folder = labelled(tmp_path_factory.mktemp("yolo"), "\n".join(rows))
    (read,), problems, _ = read_yolo(folder)
    assert len(read.classes) == sum(bool(row.split()) for row in rows)
    unread = sum(problem.action == "dropped_box" for problem in problems)
    assert np.isnan(read.boxes).all(axis=1).sum() == np.isnan(read.boxes).any(axis=1).sum() == unread


@patient
@given(text=st.one_of(st.text(max_size=60), st.text(st.sampled_from("names:[]{}&*!-? 0ab\n'\"|<"), max_size=60)))
def test_whatever_data_yaml_says_is_names_or_refused(tmp_path_factory, text):
    folder = make(tmp_path_factory.mktemp("yolo"), {"data.yaml": text.encode(errors="replace")})
    try:
        names = read_names(folder)
    except FormatError:
        return
    assert all(isinstance(name, str) for name in names.values())
    assert min(names) >= 0


def test_a_polygon_gives_its_box_and_is_told_of(tmp_path):
    (read,), problems, _ = read_yolo(labelled(tmp_path, "0 0.5 0.125 0.75 0.5 0.25 0.25\n"))
    assert read.boxes.tolist() == [[0.25, 0.125, 0.75, 0.5]]
    assert [(p.kind, p.action) for p in problems] == [("enclosing_box", "kept")]
    assert problems[0].detail == "object 1 (cat): a polygon of 3 points; the box around it is taken"


def test_an_empty_file_is_an_image_without_objects(tmp_path):
    (read,), problems, _ = read_yolo(labelled(tmp_path, ""))
    assert (read.classes, read.boxes.shape, problems) == ((), (0, 4), [])


@pytest.mark.parametrize(
    ("row", "kind", "said"),
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
def test_a_row_that_cannot_be_read_is_a_problem_with_its_line_and_the_others_stay(tmp_path, row, kind, said):
    folder = labelled(tmp_path, f"0 0.5 0.5 0.5 0.5\n\n{row}\n")
    (read,), problems, _ = read_yolo(folder)
    assert np.isnan(read.boxes).all(axis=1).tolist() == [False, True]
    assert [(p.kind, p.file, p.action) for p in problems] == [
        (kind, f"{(folder / 'labels/a.txt').as_posix()}:3", "dropped_box")
    ]
    assert said in problems[0].detail
    assert len(problems[0].detail) < 300


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe0 0.5", "not text in UTF-8"), (b"0 " * 2000, "at most 1000")],
    ids=["not UTF-8", "huge"],
)
def test_a_label_file_that_cannot_be_read_is_a_problem_and_the_others_stay(tmp_path, monkeypatch, content, said):
    monkeypatch.setattr(yolo, "MAX_LABEL_BYTES", 1000)
    folder = make(tmp_path, {"classes.txt": "cat", "labels/a.txt": content, "labels/b.txt": "0 0.5 0.5 0.5 0.5"})
    images, problems, _ = read_yolo(folder)
    assert [image.source for image in images] == [(folder / "labels/b.txt").as_posix()]
    assert [(p.kind, p.action) for p in problems] == [("unreadable_annotation", "dropped_image")]
    assert said in problems[0].detail


def test_a_link_to_nowhere_is_a_problem(tmp_path):
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
def test_the_label_files_are(tmp_path, files, labels):
    folder = make(tmp_path / "data", dict.fromkeys([*files, "classes.txt"], ""))
    assert [path.relative_to(folder).as_posix() for path in label_files(folder)] == labels


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.yaml", "train: ../x\nnc: 2\nnames: [cat, 'no']\n"),
        ("data.yaml", "names:\n  0: cat\n  1: no\n"),
        ("data.yml", "names: {1: no, 0: cat}\n"),
        ("classes.txt", "cat\r\n no \r\n\r\n"),
        ("labels/classes.txt", "\ufeffcat\nno"),
    ],
    ids=["list", "mapping", "order", "classes.txt", "in labels"],
)
def test_the_classes_are_named(tmp_path, name, content):
    assert read_names(make(tmp_path, {name: content})) == {0: "cat", 1: "no"}


def test_numbers_may_have_gaps(tmp_path):
    folder = make(tmp_path, {"data.yaml": "names: {3: cat, 7: dog}", "labels/a.txt": "7 0.5 0.5 1 1\n4 0.5 0.5 1 1"})
    (read,), problems, classes = read_yolo(folder)
    assert (read.classes, classes) == (("dog", "4"), ("cat", "dog"))
    assert [p.kind for p in problems] == ["unknown_class"]


def test_two_files_that_name_different_classes_are_refused(tmp_path):
    folder = make(tmp_path, {"data.yaml": "names: [cat, dog]", "classes.txt": "dog\ncat\n"})
    with pytest.raises(FormatError, match=r"data\.yaml and .*classes\.txt name different classes"):
        read_names(folder)
    (folder / "classes.txt").write_text("cat\ndog\n")
    assert read_names(folder) == {0: "cat", 1: "dog"}


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nnames: *c\n"
MERGE_BOMB = "a: &a {k: v}\nb: &b {<<: [*a, *a]}\nnames: {<<: [*b, *b]}\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BOMB, "aliases"),
        (MERGE_BOMB, "aliases"),
        ("names: " + "[" * 5000, "nested too deeply"),
        ("names: [cat", "not YAML"),
        ("names: [c\0at]", "not YAML"),
        ("names: [[cat]]", "expected a list of names"),
        ("names: {-1: cat}", "expected a list of names"),
        ("names: {one: cat}", "expected a list of names"),
        (f"names: {{{'9' * 900}: cat}}", "expected a list of names"),
        ("names: {[a]: cat}", "not YAML"),
        ("names: cat", "no list or mapping `names`"),
        ("names: []", "no list or mapping `names`"),
        ("- cat", "no list or mapping `names`"),
        ("", "no list or mapping `names`"),
        (b"names: [\xff]", "not text in UTF-8"),
        ("names: [" + "cat, " * 100_000 + "]", "at most"),
    ],
    ids=[
        "alias bomb", "merge bomb", "deep", "cut", "NUL", "a list", "negative", "word", "digits", "key", "one name",
        "no name", "list", "empty", "not UTF-8", "huge",
    ],
)  # fmt: skip
def test_a_data_yaml_that_names_no_classes_is_refused_with_the_file(tmp_path, content, said):
    folder = make(tmp_path, {"data.yaml": content})
    with pytest.raises(FormatError, match=said) as error:
        read_names(folder)
    assert str(folder / "data.yaml") in str(error.value)
    assert len(str(error.value)) < 600


def test_a_tag_that_asks_for_python_makes_nothing(tmp_path):
    folder = make(tmp_path, {"data.yaml": "names: [!!python/object/apply:os.mkdir [made]]"})
    with pytest.raises(FormatError, match="expected a list of names"):
        read_names(folder)
    assert not Path("made").exists()


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_classes_txt_is_refused(tmp_path, content):
    with pytest.raises(FormatError, match="is empty"):
        read_names(make(tmp_path, {"classes.txt": content}))


def test_a_folder_is_yolo_when_it_names_classes_and_has_labels(tmp_path):
    assert not is_yolo_folder(make(tmp_path / "1", {"a.txt": ""}))
    assert not is_yolo_folder(make(tmp_path / "2", {"classes.txt": "cat"}))
    assert is_yolo_folder(make(tmp_path / "3", {"classes.txt": "cat", "a.txt": ""}))
    with pytest.raises(FormatError, match="nothing says what the class numbers mean"):
        read_names(tmp_path / "1")
