"""CSV annotations: the layouts people bring, and rows that cannot be read."""

import numpy as np
import pytest

from tasks.dataset.dataset import Dataset
from tasks.errors import FormatError
from tasks.formats import csv as csv_format
from tasks.formats.csv import read_csv, write_csv


def written(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,64,48,cat,1,2,30,40\n",
        "filename,width,height,cell_type,xmin,xmax,ymin,ymax\na.jpg,64,48,cat,1,30,2,40\n",
        "label;Image Name;x1;y1;x2;y2;image_width;image_height\ncat;a.jpg;1;2;30;40;64;48\n",
        "path\tcategory\tleft\ttop\tright\tbottom\tWIDTH\tHEIGHT\na.jpg\tcat\t1.0\t2\t30\t40\t64.0\t48\n",
        "\ufeffimage_id,filename,class_name,x_min,y_min,x_max,y_max,width,height\n7,a.jpg, cat ,1,2,30,40,64,48\n",
        'filename,width,height,class,xmin,ymin,xmax,ymax\r\n"a.jpg",64,48,"cat",1,2,30,40\r\n\r\n',
    ],
    ids=["TensorFlow tutorial", "x before y", "semicolons", "tabs", "BOM and two names", "quotes and CRLF"],
)
def test_the_usual_column_layouts_give_the_same_images(tmp_path, text):
    path = written(tmp_path, text)
    images, problems = read_csv(path, {})
    assert problems == []
    (image,) = images
    assert (image.file_name, image.width, image.height, image.classes) == ("a.jpg", 64, 48, ("cat",))
    assert image.boxes.tolist() == [[1, 2, 30, 40]]
    assert image.source == f"{path.as_posix()}:2"


def test_rows_of_one_image_are_grouped_and_images_keep_their_order(tmp_path):
    path = written(
        tmp_path, "filename,class,xmin,ymin,xmax,ymax\nb.jpg,cat,1,2,3,4\na.jpg,dog,5,6,7,8\nb.jpg,dog,0,0,9,9\n"
    )
    images, _ = read_csv(path, {})
    assert [(image.file_name, image.classes) for image in images] == [("b.jpg", ("cat", "dog")), ("a.jpg", ("dog",))]
    assert images[0].boxes.tolist() == [[1, 2, 3, 4], [0, 0, 9, 9]]
    assert [image.source.rpartition(":")[2] for image in images] == ["2", "3"]


def test_sizes_missing_from_the_file_are_0(tmp_path):
    images, _ = read_csv(written(tmp_path, "filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,3,4\n"), {})
    assert (images[0].width, images[0].height) == (0, 0)


def test_a_file_without_a_header_is_read_as_path_corners_class(tmp_path):
    path = written(tmp_path, "/data/a.jpg,1,2,3,4,cat\n/data/b.jpg,,,,,\n/data/a.jpg,5,6,7,8,dog\n")
    images, problems = read_csv(path, {})
    assert problems == []
    assert [(image.file_name, image.classes) for image in images] == [
        ("/data/a.jpg", ("cat", "dog")),
        ("/data/b.jpg", ()),
    ]
    assert images[0].source == f"{path.as_posix()}:1"


def test_a_file_without_a_header_may_start_with_an_image_without_objects(tmp_path):
    images, _ = read_csv(written(tmp_path, "b.jpg,,,,,\na.jpg,1,2,3,4,cat\n"), {})
    assert [(image.file_name, image.classes) for image in images] == [("b.jpg", ()), ("a.jpg", ("cat",))]


def test_params_name_columns_that_are_not_recognised(tmp_path):
    path = written(tmp_path, "Bild,Art,links,oben,x2,y2\na.jpg,cat,1,2,30,40\n")
    images, _ = read_csv(path, {"filename": "Bild", "class": "Art", "xmin": "links", "ymin": "oben"})
    assert (images[0].file_name, images[0].classes) == ("a.jpg", ("cat",))
    assert images[0].boxes.tolist() == [[1, 2, 30, 40]]


def test_a_missing_column_is_reported_with_the_existing_ones_and_the_remedy(tmp_path):
    path = written(tmp_path, "filename,class,xmin,ymin,width,height\na.jpg,cat,1,2,30,40\n")
    with pytest.raises(FormatError) as error:
        read_csv(path, {})
    for part in (
        str(path),
        "no column for xmax",
        "filename, class, xmin, ymin, width, height",
        "ingest.columns: {xmax:",
    ):
        assert part in str(error.value)


def test_a_column_named_in_params_but_missing_is_reported(tmp_path):
    path = written(tmp_path, "filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,3,4\n")
    with pytest.raises(FormatError, match=r"no column for class, which ingest\.columns calls 'Art'"):
        read_csv(path, {"class": "Art"})


@pytest.mark.parametrize(
    "corners",
    ["1,2,thirty,40", "1,2,,40", "1,2,nan,40", "1,2,inf,40", "1,2,3.4.5,40", ",,,"],
    ids=["word", "empty", "nan", "infinite", "dots", "class without a box"],
)
def test_a_row_without_four_numbers_is_a_problem_with_its_line_and_the_others_are_read(tmp_path, corners):
    path = written(tmp_path, f"filename,xmin,ymin,xmax,ymax,class\na.jpg,1,2,3,4,cat\n\na.jpg,{corners},dog\n")
    images, problems = read_csv(path, {})
    assert np.isnan(images[0].boxes).all(axis=1).tolist() == [False, True]
    assert [(p.kind, p.file, p.action) for p in problems] == [
        ("unreadable_object", f"{path.as_posix()}:4", "dropped_box")
    ]
    assert "'dog' in a.jpg" in problems[0].detail


def test_a_row_that_is_too_short_is_a_problem(tmp_path):
    path = written(tmp_path, "filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,3,4\nb.jpg,cat,1\n")
    images, problems = read_csv(path, {})
    assert len(images) == 2
    assert [p.file for p in problems] == [f"{path.as_posix()}:3"]


def test_a_row_without_a_file_name_is_a_problem(tmp_path):
    path = written(tmp_path, "filename,class,xmin,ymin,xmax,ymax\n,cat,1,2,3,4\na.jpg,cat,1,2,3,4\n")
    images, problems = read_csv(path, {})
    assert [image.file_name for image in images] == ["a.jpg"]
    assert [(p.kind, p.file) for p in problems] == [("unreadable_object", f"{path.as_posix()}:2")]


def test_a_class_called_na_is_a_class(tmp_path):
    images, _ = read_csv(written(tmp_path, "filename,class,xmin,ymin,xmax,ymax\na.jpg,NA,1,2,3,4\n"), {})
    assert images[0].classes == ("NA",)


def test_fractions_of_the_image_size_are_refused(tmp_path):
    path = written(tmp_path, "filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,0.1,0.2,0.9,1.0\n")
    with pytest.raises(FormatError, match=r"all coordinates lie in 0\.\.1"):
        read_csv(path, {})


@pytest.mark.parametrize(
    "content",
    [b"", b"filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,3,4,5,6\n", b"\xff\xfe\x00\x01", b'a,"b\n'],
    ids=["empty", "too many fields", "binary", "open quote"],
)
def test_content_that_is_not_csv_is_refused_with_the_file(tmp_path, content):
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="not a CSV file") as error:
        read_csv(path, {})
    assert str(path) in str(error.value)


def test_a_file_over_the_size_limit_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_format, "MAX_BYTES", 20)
    with pytest.raises(FormatError, match="at most 20"):
        read_csv(written(tmp_path, "filename,class,xmin,ymin,xmax,ymax\n"), {})


def test_a_header_alone_gives_no_images(tmp_path):
    assert read_csv(written(tmp_path, "filename,class,xmin,ymin,xmax,ymax\n"), {}) == ([], [])


DIVIDED = """filename,class,xmin,ymin,xmax,ymax,{column}
a.jpg,cat,1,2,30,40,{a}
b.jpg,cat,1,2,30,40,{b}
b.jpg,cat,3,4,30,40,{c}
"""


@pytest.mark.parametrize(
    ("column", "columns", "cells", "parts"),
    [
        ("split", {}, ("train", "TEST", "test"), ["train", "test"]),
        ("ML_USE", {}, ("TRAIN", "VALIDATE", "VALIDATE"), ["train", "val"]),
        ("split", {}, ("TRAIN", "UNASSIGNED", "UNASSIGNED"), ["train", ""]),
        ("Subset", {}, ("Training", "validation", ""), ["train", "val"]),
        ("set", {}, ("train", "train", "test"), ["train", "test"]),
        ("where", {"split": "where"}, ("dev", "", ""), ["val", ""]),
        ("where", {}, ("train", "test", "test"), ["", ""]),
        ("set", {}, ("kitchen", "garden", "train"), ["", ""]),
    ],
    ids=[
        "plain",
        "AutoML",
        "unassigned",
        "spellings",
        "most protected",
        "named in params",
        "not named",
        "means something else",
    ],
)
def test_a_column_gives_the_authors_split(tmp_path, column, columns, cells, parts):
    path = written(tmp_path, DIVIDED.format(column=column, **dict(zip("abc", cells, strict=True))))
    images, problems = read_csv(path, columns)
    assert [image.given_split for image in images] == parts
    assert not problems


@pytest.mark.parametrize("columns", [{}, {"split": "split"}], ids=["found", "named"])
def test_an_unknown_split_is_refused_because_its_image_might_be_for_testing(tmp_path, columns):
    path = written(tmp_path, DIVIDED.format(column="split", a="train", b="tets", c="test"))
    with pytest.raises(FormatError, match=r"labels\.csv: line 3: the split column holds 'tets'; expected train"):
        read_csv(path, columns)


def test_splits_are_unchanged_after_writing_and_reading(tmp_path):
    images, _ = read_csv(written(tmp_path, DIVIDED.format(column="split", a="train", b="", c="")), {})
    write_csv(Dataset(tmp_path, ("cat",), tuple(images)), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines()[0].endswith("ymax,split")
    back, _ = read_csv(tmp_path / "out.csv", {})
    assert [image.given_split for image in back] == ["train", ""]


def test_names_that_spreadsheets_would_run_are_written_as_text_and_read_back(tmp_path):
    text = "filename,width,height,class,xmin,ymin,xmax,ymax\n-a.jpg,64,48,=HYPERLINK(1),-1,2,30,40\n"
    images, _ = read_csv(written(tmp_path, text), {})
    assert (images[0].file_name, images[0].classes) == ("-a.jpg", ("=HYPERLINK(1)",))
    out = tmp_path / "out.csv"
    write_csv(Dataset(tmp_path, ("=HYPERLINK(1)",), tuple(images)), out)
    assert out.read_text().splitlines()[1] == "'-a.jpg,64,48,'=HYPERLINK(1),-1,2,30,40"
    again, _ = read_csv(out, {})
    assert (again[0].file_name, again[0].classes, again[0].boxes.tolist()) == (
        "-a.jpg",
        ("=HYPERLINK(1)",),
        [[-1, 2, 30, 40]],
    )


def test_a_thousand_columns_are_read_and_more_are_refused(tmp_path):
    rows = "filename,class,xmin,ymin,xmax,ymax{}\na.jpg,cat,1,2,3,4{}\n"
    more = "".join(f",c{i}" for i in range(994))
    images, _ = read_csv(written(tmp_path, rows.format(more, "," * 994)), {})
    assert images[0].classes == ("cat",)
    with pytest.raises(FormatError, match=r"labels\.csv: 1001 columns; at most 1000 are read"):
        read_csv(written(tmp_path, rows.format(more + ",one more", "," * 995)), {})


def test_commas_inside_quotes_are_no_columns(tmp_path):
    polygon = ", ".join(map(str, range(2000)))
    images, _ = read_csv(written(tmp_path, f'a.jpg,1,2,30,40,"{polygon}"\n'), {})
    assert images[0].boxes.tolist() == [[1, 2, 30, 40]]
