"""Pascal VOC XML: round trips, the ways real files are wrong, and hostile ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dataset.boxes import as_boxes
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.errors import FormatError
from tasks.formats import pascal_voc
from tasks.formats.pascal_voc import read_voc, read_voc_folder, write_voc

PIXEL = st.one_of(st.integers(-100, 9000).map(float), st.floats(-100, 9000, allow_nan=False))
NAME = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12).filter(
    lambda text: text == text.strip()
)


def voc(tmp_path, body, name="x.xml"):
    path = tmp_path / name
    path.write_text(f"<annotation>{body}</annotation>")
    return path


def bndbox(xmin="1", ymin="2", xmax="30", ymax="40"):
    return f"<bndbox><xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox>"


@given(
    objects=st.lists(st.tuples(st.tuples(PIXEL, PIXEL, PIXEL, PIXEL), NAME, st.booleans()), max_size=4),
    width=st.integers(0, 5000),
    height=st.integers(0, 5000),
)
def test_an_image_is_unchanged_after_writing_and_reading(tmp_path_factory, objects, width, height):
    path = tmp_path_factory.mktemp("voc") / "x.xml"
    n = len(objects)
    image = AnnotatedImage(
        file_name="sub/x.jpg",
        width=width,
        height=height,
        boxes=as_boxes([box for box, _, _ in objects]),
        classes=tuple(name for _, name, _ in objects),
        difficult=flags(n, [difficult for _, _, difficult in objects]),
        iscrowd=flags(n),
    )
    write_voc(image, path)
    back, problems = read_voc(path)
    assert problems == []
    assert (back.file_name, back.width, back.height) == ("x.jpg", width, height)
    assert back.classes == image.classes
    np.testing.assert_array_equal(back.boxes, image.boxes)
    np.testing.assert_array_equal(back.difficult, image.difficult)
    assert back.source == path.as_posix()


def test_a_file_from_a_labelling_tool_is_read(tmp_path):
    path = voc(
        tmp_path,
        "<folder>photos</folder><filename> a.jpg </filename><size><width>64</width><height>48</height></size>"
        f"<object><name>cat</name><difficult>1</difficult>{bndbox()}</object>"
        f"<object><name> dog\n</name>{bndbox('1.5', '2e0', '30', '40.25')}</object>",
    )
    image, problems = read_voc(path)
    assert problems == []
    assert (image.file_name, image.width, image.height) == ("a.jpg", 64, 48)
    assert image.classes == ("cat", "dog")
    assert image.difficult.tolist() == [True, False]
    assert image.boxes.tolist() == [[1, 2, 30, 40], [1.5, 2, 30, 40.25]]


@pytest.mark.parametrize(
    "size",
    [
        "",
        "<size/>",
        "<size><width>0</width><height>0</height></size>",
        "<size><width>wide</width><height>-3</height></size>",
        "<size><width>inf</width><height>nan</height></size>",
    ],
    ids=["none", "empty", "zero", "nonsense", "not finite"],
)
def test_a_missing_size_is_0(tmp_path, size):
    image, _ = read_voc(voc(tmp_path, size))
    assert (image.width, image.height) == (0, 0)


def test_a_missing_filename_is_read_as_empty(tmp_path):
    image, _ = read_voc(voc(tmp_path, f"<object><name>cat</name>{bndbox()}</object>"))
    assert image.file_name == ""


def test_a_file_name_is_read_as_written(tmp_path):
    image, _ = read_voc(voc(tmp_path, r"<filename>C:\x\y.jpg</filename>"))
    assert image.file_name == r"C:\x\y.jpg"


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ("", "no <bndbox>"),
        (bndbox(xmin="left"), "xmin is 'left', not a number"),
        (bndbox(ymax=""), "ymax is '', not a number"),
        (bndbox(xmax="nan"), "xmax is 'nan', not a number"),
        (bndbox(ymin="1e999"), "ymin is '1e999', not a number"),
        (bndbox(xmin="1_0"), "xmin is '1_0', not a number"),
        (bndbox() * 2, "2 <bndbox> elements; an object has one"),
        ("<bndbox><xmin>1</xmin></bndbox>", "ymin is '', not a number"),
    ],
    ids=["none", "word", "empty", "nan", "infinite", "underscore", "two", "corner missing"],
)
def test_an_object_without_a_readable_box_is_a_problem_and_the_others_are_read(tmp_path, box, message):
    path = voc(tmp_path, f"<object><name>cat</name>{bndbox()}</object><object><name>dog</name>{box}</object>")
    image, problems = read_voc(path)
    assert np.isnan(image.boxes).all(axis=1).tolist() == [False, True]
    assert [(p.kind, p.file, p.action) for p in problems] == [("unreadable_object", path.as_posix(), "dropped_box")]
    assert problems[0].detail == f"object 2 (dog): {message}"


def test_a_comment_inside_a_number_does_not_shorten_it(tmp_path):
    box = bndbox(xmin="1<!-- -->2", ymin="3<?pi?>4")
    image, problems = read_voc(voc(tmp_path, f"<object><name>cat</name>{box}</object>"))
    assert image.boxes[0, :2].tolist() == [12, 34]
    assert problems == []


def test_the_parts_of_an_object_are_not_read_as_objects(tmp_path):
    part = f"<part><name>head</name>{bndbox('5', '5', '6', '6')}</part>"
    image, _ = read_voc(voc(tmp_path, f"<object><name>person</name>{part}{bndbox()}</object>"))
    assert image.classes == ("person",)
    assert image.boxes.tolist() == [[1, 2, 30, 40]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not XML"),
        (b"filename,xmin", "not XML"),
        (b"<annotation><object></annotation>", "not XML"),
        (b"<project/>", "<project>"),
        (b"\xff\xfe\x00\x00", "not XML"),
        (b"<annotation>\xff</annotation>", "not XML"),
        (b"<annotation>" + b"<a>" * 1000 + b"</a>" * 1000 + b"</annotation>", "not XML"),
    ],
    ids=["empty", "csv", "tags", "other XML", "binary", "encoding", "deep"],
)
def test_content_that_is_not_pascal_voc_is_refused_with_the_file(tmp_path, content, message):
    path = tmp_path / "x.xml"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message) as error:
        read_voc(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE annotation [<!ENTITY secret SYSTEM "file://SECRET">]>',
        '<!DOCTYPE annotation SYSTEM "file://SECRET">',
        '<!DOCTYPE annotation [<!ENTITY a "aaaa"><!ENTITY secret "&a;&a;&a;">]>',
    ],
    ids=["external entity", "external DTD", "entities of entities"],
)
def test_declarations_are_refused_and_their_targets_are_not_read(tmp_path, declaration):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    path = tmp_path / "x.xml"
    reference = "&secret;" if "ENTITY" in declaration else "x"
    path.write_text(
        f"{declaration.replace('SECRET', str(secret))}<annotation><filename>{reference}</filename></annotation>"
    )
    with pytest.raises(FormatError, match="document type or entities") as error:
        read_voc(path)
    assert "the secret" not in str(error.value)


def test_a_file_over_the_size_limit_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(pascal_voc, "MAX_BYTES", 20)
    with pytest.raises(FormatError, match="at most 20"):
        read_voc(voc(tmp_path, "<filename>a.jpg</filename>"))


def test_more_objects_than_an_image_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pascal_voc, "MAX_OBJECTS", 2)
    image, _ = read_voc(voc(tmp_path, f"<object><name>cat</name>{bndbox()}</object>" * 2))
    assert len(image.boxes) == 2
    with pytest.raises(FormatError, match=r"x\.xml: 3 objects; at most 2"):
        read_voc(voc(tmp_path, "<object/>" * 3))


def test_a_folder_is_read_in_the_order_of_paths_and_a_bad_file_is_a_problem(tmp_path):
    (tmp_path / "b").mkdir()
    voc(tmp_path / "b", "<filename>2.jpg</filename>", "2.XML")
    voc(tmp_path, "<filename>1.jpg</filename>", "a.xml")
    voc(tmp_path, "", "._a.xml")
    (tmp_path / "folder.xml").mkdir()
    (tmp_path / "c.xml").write_text("not XML")
    (tmp_path / "d.xml").symlink_to(tmp_path / "nowhere.xml")
    images, problems = read_voc_folder(tmp_path)
    assert [image.file_name for image in images] == ["1.jpg", "2.jpg"]
    assert [(p.kind, p.file, p.action) for p in problems] == [
        ("unreadable_annotation", (tmp_path / name).as_posix(), "dropped_image") for name in ("c.xml", "d.xml")
    ]
    assert "cannot be read: No such file" in problems[1].detail


def test_a_failed_write_leaves_no_file(tmp_path):
    image = AnnotatedImage("x.jpg", 1, 1, as_boxes([[0, 0, 1, 1]]), ("a\0b",), flags(1), flags(1))
    with pytest.raises(ValueError, match="XML"):
        write_voc(image, tmp_path / "x.xml")
    assert list(tmp_path.iterdir()) == []
