"""Columns of a CSV file that say something of the whole image."""

import pytest

from tasks.errors import FormatError
from tasks.formats.csv import read_csv, write_csv
from tasks.formats.csv_columns import divided_columns
from tasks.formats.losses import losses
from tests.metrics.cases import dataset

HEADER = "filename,class,xmin,ymin,xmax,ymax,Camera,weather\n"
ROWS = "a.jpg,cat,1,2,3,4,north,rain\na.jpg,dog,1,2,3,4,north,\nb.jpg,,,,,,south,sun\n"


def written(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("columns", "objects", "slices"),
    [
        ({}, {}, []),
        ({"slice": "camera"}, {}, ["camera"]),
        ({"slice": ["camera", "site"], "class": "Art"}, {"class": "Art"}, ["camera", "site"]),
    ],
    ids=["none", "one", "several"],
)
def test_columns_of_slices_are_told_from_those_of_objects(columns, objects, slices):
    assert divided_columns(columns) == (objects, slices)


def test_values_of_the_named_columns_are_of_the_image(tmp_path):
    images, problems = read_csv(written(tmp_path, HEADER + ROWS), {}, ["Camera", "weather"])
    assert problems == []
    assert [image.slices for image in images] == [
        {"Camera": "north", "weather": "rain"},
        {"Camera": "south", "weather": "sun"},
    ]


def test_columns_that_are_not_named_are_not_read(tmp_path):
    images, _ = read_csv(written(tmp_path, HEADER + ROWS), {})
    assert [image.slices for image in images] == [{}, {}]


def test_the_column_of_splits_may_be_one_of_slices_too(tmp_path):
    text = "filename,class,xmin,ymin,xmax,ymax,set\na.jpg,cat,1,2,3,4,train\n"
    (image,), _ = read_csv(written(tmp_path, text), {}, ["set"])
    assert (image.slices, image.given_split) == ({"set": "train"}, "train")


def test_a_missing_column_is_named_with_those_that_there_are(tmp_path):
    with pytest.raises(FormatError, match=r"no column 'camera', which ingest\.columns\.slice names; found .*Camera"):
        read_csv(written(tmp_path, HEADER + ROWS), {}, ["camera"])


def test_a_file_without_a_header_has_no_such_column(tmp_path):
    with pytest.raises(FormatError):
        read_csv(written(tmp_path, "a.jpg,1,2,3,4,cat\n"), {}, ["camera"])


def test_two_values_for_one_image_are_refused_with_their_line(tmp_path):
    rows = "a.jpg,cat,1,2,3,4,north,\nb.jpg,cat,1,2,3,4,north,\na.jpg,dog,1,2,3,4,south,\n"
    with pytest.raises(FormatError, match="line 4: the column 'Camera' holds 'south', and 'north' in line 2"):
        read_csv(written(tmp_path, HEADER + rows), {}, ["Camera"])


def test_what_csv_does_not_hold_of_whole_images_is_counted(tmp_path):
    images, _ = read_csv(written(tmp_path, HEADER + ROWS), {}, ["Camera"])
    data = dataset(*images)
    said = "what is said of 2 whole images, such as their camera"
    for kind in ("voc", "csv", "yolo"):
        assert f"not held by {kind}: {said}" in losses(data, kind)
    assert not any(said in line for line in losses(data, "coco"))
    write_csv(data, tmp_path / "out.csv")
    assert [image.slices for image in read_csv(tmp_path / "out.csv", {})[0]] == [{}, {}]
