"""A folder of several COCO or CSV files is one data set; files of other tools are called by name."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tasks.dataset.coco_json import read_coco
from tasks.errors import DataError
from tasks.formats.reading import format_of
from tasks.params import IngestParams
from tasks.stages.ingest import ingest

CSV = "filename,class,xmin,ymin,xmax,ymax\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def picture(path, colour):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (colour, 0, 0)).save(path)


def coco(path, name, *classes):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    content = {
        "info": {},
        "images": [{"id": 0, "file_name": name, "width": 64, "height": 48}],
        "annotations": [
            {"id": i, "image_id": 0, "category_id": i, "bbox": [i, 2, 20, 20]} for i in range(len(classes))
        ],
        "categories": [{"id": i, "name": each} for i, each in enumerate(classes)],
    }
    Path(path).write_text(json.dumps(content))


def ingested(source, images="data", kind="auto"):
    ingest(
        IngestParams(source=Path(source), images=Path(images), format=kind, columns={}), ingested=Path("ingested.json")
    )
    return read_coco(Path("ingested.json"))


def splits(dataset):
    return {image.file_name: (image.given_split, image.classes) for image in dataset.images}


def test_roboflows_coco_export_is_read_with_its_splits(here):
    """One _annotations.coco.json in each of train, valid and test, with images of one name beside them."""
    for number, split in enumerate(("train", "valid", "test")):
        picture(f"data/{split}/a.jpg", number)
        coco(f"data/{split}/_annotations.coco.json", "a.jpg", *(["things", "cat"] if number else ["dog"]))
    Path("data/README.dataset.txt").write_text("notes")
    dataset = ingested("data")
    assert splits(dataset) == {
        "train/a.jpg": ("train", ("dog",)),
        "valid/a.jpg": ("val", ("things", "cat")),
        "test/a.jpg": ("test", ("things", "cat")),
    }
    assert dataset.problems == ()


def test_cocos_own_layout_is_read_with_its_splits(here):
    for number, split in enumerate(("train", "val")):
        picture(f"data/images/{split}{number}.jpg", number)
        coco(f"data/annotations/instances_{split}2017.json", f"{split}{number}.jpg", "cat")
    assert splits(ingested("data/annotations")) == {
        "train0.jpg": ("train", ("cat",)),
        "val1.jpg": ("val", ("cat",)),
    }


def test_csv_files_of_splits_are_read_as_one(here):
    for number, split in enumerate(("train", "validation", "test")):
        picture(f"data/{number}.jpg", number)
        Path(f"data/{split}_labels.csv").write_text(f"{CSV}{number}.jpg,cat,1,2,30,40\n")
    assert {name: split for name, (split, _) in splits(ingested("data")).items()} == {
        "0.jpg": "train", "1.jpg": "val", "2.jpg": "test",
    }  # fmt: skip


def test_an_image_in_two_files_is_named(here):
    picture("data/a.jpg", 1)
    for name in ("first", "second"):
        Path(f"data/{name}.csv").write_text(f"{CSV}a.jpg,cat,1,2,30,40\n")
    assert [problem.kind for problem in ingested("data").problems] == [
        "image_annotated_twice",
        "box_of_dropped_image",
    ]


def test_tables_beside_xml_files_are_passed_over_unless_they_are_wanted(here):
    picture("data/a.jpg", 1)
    box = "<xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax>"
    Path("data/a.xml").write_text(
        f"<annotation><filename>a.jpg</filename><object><name>dog</name><bndbox>{box}</bndbox></object></annotation>"
    )
    Path("data/all.csv").write_text(f"{CSV}a.jpg,cat,1,2,30,40\n")
    assert ingested("data").classes == ("dog",)
    assert ingested("data", kind="csv").classes == ("cat",)


def test_csv_and_coco_files_in_one_folder_need_a_format(here):
    picture("data/a.jpg", 1)
    Path("data/all.csv").write_text(f"{CSV}a.jpg,cat,1,2,30,40\n")
    coco("data/all.json", "a.jpg", "cat")
    with pytest.raises(DataError, match=r"could be coco or csv; set ingest\.format"):
        format_of(Path("data"), "auto")
    assert format_of(Path("data"), "coco") == "coco"


FOREIGN = {
    "CVAT": ("a.xml", '<?xml version="1.0"?>\n<annotations><image id="0" name="a.jpg"></image></annotations>'),
    "VIA": ("a.json", '{"_via_settings": {}, "_via_img_metadata": {"a.jpg1": {"filename": "a.jpg", "regions": []}}}'),
    "VIA's annotations alone": ("a.json", '{"a.jpg1": {"regions": [{"shape_attributes": {"name": "rect"}}]}}'),
    "labelme": ("a.json", '{"version": "5.0", "flags": {}, "shapes": [], "imagePath": "a.jpg"}'),
    "CreateML": ("a.json", '[{"image": "a.jpg", "annotations": [{"label": "cat", "coordinates": {"x": 1}}]}]'),
    "Supervisely": ("a.json", '{"description": "", "objects": [{"classTitle": "cat"}]}'),
}  # fmt: skip


@pytest.mark.parametrize("tool", FOREIGN)
@pytest.mark.parametrize("as_folder", [True, False], ids=["folder", "file"])
def test_a_file_of_another_tool_is_called_by_name_with_the_way_to_convert_it(here, tool, as_folder):
    name, content = FOREIGN[tool]
    picture("data/a.jpg", 1)
    Path("data", name).write_text(content)
    with pytest.raises(DataError) as raised:
        ingested("data" if as_folder else f"data/{name}")
    assert tool.split("'")[0] in str(raised.value)
    assert "which is not read: " in str(raised.value)
    assert f"data/{name}" in str(raised.value)


@pytest.mark.parametrize("more", [{}, {"coordinates": [1, 2]}], ids=["plain", "a place"])
def test_label_studios_export_is_not_taken_for_another_tools(here, more):
    task = {"id": 1, "data": {"image": "a.jpg", **more}, "annotations": [{"result": []}]}
    Path("a.json").write_text(json.dumps([task]))
    assert format_of(Path("a.json"), "auto") == "label_studio"


@pytest.mark.parametrize(
    "more", [{"region_attributes": {}}, {"shapes": [], "flags": {}}, {"objects": [], "classTitle": ""}]
)
def test_coco_with_keys_of_another_tool_is_coco(here, more):
    Path("a.json").write_text(json.dumps({**more, "images": [], "annotations": [more], "categories": []}))
    assert format_of(Path("a.json"), "auto") == "coco"


def test_a_format_that_is_named_wins(here):
    Path("a.json").write_text(FOREIGN["CreateML"][1])
    assert format_of(Path("a.json"), "label_studio") == "label_studio"
