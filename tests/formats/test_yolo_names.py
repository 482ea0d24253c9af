"""What YOLO's class numbers mean: data.yaml and classes.txt, as people bring them and hostile ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import FormatError
from tasks.formats.yolo import is_yolo_folder, read_yolo
from tasks.formats.yolo_names import read_names
from tests.formats.yolo_folder import make


@given(text=st.one_of(st.text(max_size=60), st.text(st.sampled_from("names:[]{}&*!-? 0ab\n'\"|<"), max_size=60)))
def test_any_data_yaml_gives_names_or_is_refused(tmp_path_factory, text):
    folder = make(tmp_path_factory.mktemp("yolo"), {"data.yaml": text.encode(errors="replace")})
    try:
        names = read_names(folder)
    except FormatError:
        return
    assert all(isinstance(name, str) for name in names.values())
    assert min(names) >= 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.yaml", "train: ../x\nnc: 2\nnames: [cat, 'no']\n"),
        ("data.yaml", "names:\n  0: cat\n  1: no\n"),
        ("data.yml", "names: {1: no, 0: cat}\n"),
        ("classes.txt", "cat\r\n no \r\n\r\n"),
        ("labels/classes.txt", "\ufeffcat\nno"),
        ("labels/train/classes.txt", "cat\nno\n"),
        ("obj.names", "cat\nno\n"),
        ("export/obj.names", "cat\nno\n"),
    ],
    ids=["list", "mapping", "order", "classes.txt", "in labels", "beside the labels", "Darknet", "deeper"],
)
def test_class_names_are_read_from_each_kind_of_file(tmp_path, name, content):
    assert read_names(make(tmp_path, {name: content})) == {0: "cat", 1: "no"}


def test_class_numbers_may_have_gaps(tmp_path):
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
    ("content", "message"),
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
def test_a_data_yaml_that_names_no_classes_is_refused_with_the_file(tmp_path, content, message):
    folder = make(tmp_path, {"data.yaml": content})
    with pytest.raises(FormatError, match=message) as error:
        read_names(folder)
    assert str(folder / "data.yaml") in str(error.value)
    assert len(str(error.value)) < 600


def test_a_yaml_tag_for_a_python_object_creates_nothing(tmp_path):
    folder = make(tmp_path, {"data.yaml": "names: [!!python/object/apply:os.mkdir [made]]"})
    with pytest.raises(FormatError, match="expected a list of names"):
        read_names(folder)
    assert not Path("made").exists()


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_classes_txt_is_refused(tmp_path, content):
    with pytest.raises(FormatError, match="is empty"):
        read_names(make(tmp_path, {"classes.txt": content}))


def test_a_folder_with_class_names_and_labels_is_yolo(tmp_path):
    assert not is_yolo_folder(make(tmp_path / "1", {"a.txt": ""}))
    assert not is_yolo_folder(make(tmp_path / "2", {"classes.txt": "cat"}))
    assert is_yolo_folder(make(tmp_path / "3", {"classes.txt": "cat", "a.txt": ""}))
    with pytest.raises(FormatError, match="one must name the classes"):
        read_names(tmp_path / "1")
