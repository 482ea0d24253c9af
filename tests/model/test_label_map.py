import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import FormatError
from tasks.model.label_map import read_label_map, write_label_map

NAMES = (
    "mug",
    "it's",
    'say "x"',
    "back\\slash",
    "two\nlines",
    "Schlüssel",
    "鍵",
    " spaced ",
    "tab\t",
    "id: 3",
    "#",
    "\x7f",
)


def test_ids_are_written_before_names(tmp_path):
    write_label_map(("key", "mug"), tmp_path / "map.pbtxt")
    lines = (tmp_path / "map.pbtxt").read_text().split()
    assert lines == ["item", "{", "id:", "1", "name:", '"key"', "}", "item", "{", "id:", "2", "name:", '"mug"', "}"]


@pytest.mark.parametrize("classes", [(), ("one",), NAMES], ids=["none", "one", "awkward names"])
def test_names_read_back_unchanged(tmp_path, classes):
    write_label_map(classes, tmp_path / "map.pbtxt")
    assert read_label_map(tmp_path / "map.pbtxt") == classes


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True, max_size=5))
def test_any_names_read_back_unchanged(tmp_path_factory, classes):
    path = tmp_path_factory.mktemp("maps") / "map.pbtxt"
    write_label_map(classes, path)
    assert read_label_map(path) == tuple(classes)


def test_common_styles_are_read(tmp_path):
    path = tmp_path / "map.pbtxt"
    path.write_bytes(
        b"\xef\xbb\xbf# two kinds\r\nitem {\r\n  name: 'b'\r\n  id: 2\r\n  display_name: 'B'\r\n}\r\n"
        b'item{id:1 name:"a" frequency: FREQUENT keypoints { id: 0 label: "nose" }}'
    )
    assert read_label_map(path) == ("a", "b")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("item { id: 1 name: 'a' } item { id: 3 name: 'b' }", r"ids are \[1, 3\]"),
        ("item { id: 0 name: 'background' } item { id: 1 name: 'a' }", "must be 1 to 2"),
        ("item { id: 1 name: 'a' } item { id: 1 name: 'b' }", "id 1 occurs twice"),
        ("item { id: 1 name: 'a' } item { id: 2 name: 'a' }", "'a' occurs twice"),
        ("item { id: 1 nam: 'a' }", "id 1 has no name"),
        ("item { id: 1 name: 'a'", "not a label map"),
        ("item { id: one name: 'a' }", "not a label map"),
        ("a,1", "not a label map"),
    ],
    ids=["gap", "from 0", "id twice", "name twice", "no name", "cut off", "id in words", "CSV"],
)
def test_an_invalid_label_map_is_refused_with_its_path(tmp_path, text, complaint):
    path = tmp_path / "map.pbtxt"
    path.write_text(text)
    with pytest.raises(FormatError, match=complaint) as caught:
        read_label_map(path)
    assert str(path) in str(caught.value)


def test_bytes_that_are_not_text_are_refused(tmp_path):
    path = tmp_path / "map.pbtxt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="not a label map"):
        read_label_map(path)
