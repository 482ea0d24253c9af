"""CSV files without a header, rows without an object, and files of other tools that are called by name."""

import pytest

from tasks.errors import FormatError
from tasks.formats.csv import read_csv

HEADER = "filename,class,xmin,ymin,xmax,ymax\n"


def read(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return read_csv(path, {})


def test_make_senses_rows_without_a_header_are_read(tmp_path):
    (a, b), problems = read(tmp_path, "cat,1,2,30,40,a.jpg,64,48\ndog,5,6,7,8,b.png,100,90\ncat,0,0,9,9,a.jpg,64,48\n")
    assert problems == []
    assert (a.file_name, a.width, a.height, a.classes) == ("a.jpg", 64, 48, ("cat", "cat"))
    assert a.boxes.tolist() == [[1, 2, 31, 42], [0, 0, 9, 9]]
    assert (b.file_name, b.boxes.tolist()) == ("b.png", [[5, 6, 12, 14]])


def test_retinanets_images_without_objects_are_read_anywhere(tmp_path):
    images, problems = read(tmp_path, "a.jpg,,,,,\nb.jpg,1,2,3,4,cat\nc.jpg,,,,,\n")
    assert [(image.file_name, image.classes) for image in images] == [("a.jpg", ()), ("b.jpg", ("cat",)), ("c.jpg", ())]
    assert problems == []


@pytest.mark.parametrize(
    "row",
    [
        "b.jpg,,,,,", "b.jpg,,-1,-1,-1,-1", "b.jpg,nan,NaN,NaN,NaN,NaN", "b.jpg,No finding,,,,", "b.jpg,,0,0,0,0",
        "b.jpg,No finding,NaN,NaN,NaN,NaN", "b.jpg,background,0,0,0,0", "b.jpg,-1,-1,-1,-1,-1",
        "b.jpg,NO FINDING,0.0,0,0,0", "b.jpg,None,None,None,None,None",
    ],
)  # fmt: skip
def test_a_row_that_says_there_is_no_object_is_an_image_without_objects(tmp_path, row):
    images, problems = read(tmp_path, f"{HEADER}a.jpg,cat,1,2,3,4\n{row}\n")
    assert [image.classes for image in images] == [("cat",), ()]
    assert problems == []


@pytest.mark.parametrize(
    "row", ["b.jpg,cat,,,,", "b.jpg,cat,-1,-1,nan,nan", "b.jpg,,1,2,3,", "b.jpg,background,1,2,3,x"]
)
def test_an_object_without_a_box_is_still_a_problem(tmp_path, row):
    images, problems = read(tmp_path, f"{HEADER}a.jpg,cat,1,2,3,4\n{row}\n")
    assert len(images[1].classes) == 1
    assert [problem.kind for problem in problems] == ["unreadable_object"]


@pytest.mark.parametrize("name", ["background", "none"])
def test_a_class_with_a_box_is_a_class_whatever_it_is_called(tmp_path, name):
    images, _ = read(tmp_path, f"{HEADER}a.jpg,{name},1,2,3,4\n")
    assert images[0].classes == (name,)


@pytest.mark.parametrize("first", ["sep=;\n", '"sep=;"\r\n', "SEP=;\n", "\ufeffsep=;\n"])
def test_excels_own_first_line_is_passed_over(tmp_path, first):
    text = first + "filename;class;xmin;ymin;xmax;ymax\na.jpg;cat, big;1;2;3;4\n"
    (image,), problems = read(tmp_path, text)
    assert (image.classes, image.boxes.tolist(), problems) == (("cat, big",), [[1, 2, 3, 4]], [])
    assert image.source.endswith(":3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TRAIN,gs://b/a.jpg,cat,0.1,0.2,,,0.5,0.6,,\n", "AutoML's CSV has no header, and its corners are fractions"),
        ("UNASSIGNED,a.jpg,cat,0.1,0.2,,,0.5,0.6,,\n", "AutoML's CSV has no header"),
        ("a.jpg,cat,1,2,3,4\n", "it has no header, its first row holds a.jpg, cat, 1, 2, 3, 4: add a first"),
        ("cat,1,2,3,4\n", "it has no header"),
        ('image_id,width,bbox,label\na,9,"[1, 2, 3, 4]",cat\n', "the column 'bbox' may hold all four"),
        (
            "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n",
            "VIA's CSV export: export the project as COCO",
        ),
        ("filename,label,a,b,c,d\n", "no column for xmin; found the columns filename, label, a"),
    ],
    ids=["AutoML", "AutoML without a split", "another order", "no image", "one cell", "VIA", "other names"],
)  # fmt: skip
def test_a_file_that_is_not_read_is_called_by_name_with_the_remedy(tmp_path, text, message):
    with pytest.raises(FormatError) as raised:
        read(tmp_path, text)
    assert message in str(raised.value)
    assert "labels.csv" in str(raised.value)
