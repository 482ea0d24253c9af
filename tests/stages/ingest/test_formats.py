"""Stage ingest: every format gives the same data set, and is distinguished from the others."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.errors import DataError
from tasks.ground.files import sha256_of
from tests.stages.ingest.sources import CAT, DOG, annotation, label_studio, picture, problems_of, run, yolo


def test_the_authors_split_is_recorded(here):
    for part, name in (("train", "a"), ("test", "b")):
        picture(here / f"data/images/{part}/{name}.jpg")
        annotation(here / f"data/annotations/{part}/{name}.xml", f"{name}.jpg", CAT)
    picture(here / "data/images/c.jpg")
    annotation(here / "data/annotations/c.xml", "c.jpg", CAT)
    (here / "data/ImageSets/Main").mkdir(parents=True)
    (here / "data/ImageSets/Main/val.txt").write_text("c.jpg\n")
    dataset, _ = run()
    assert {image.file_name: image.given_split for image in dataset.images} == {
        "train/a.jpg": "train",
        "test/b.jpg": "test",
        "c.jpg": "val",
    }


def test_a_folder_above_the_data_does_not_name_a_split(here):
    picture(here / "test/images/a.jpg")
    annotation(here / "test/annotations/a.xml", "a.jpg", CAT)
    dataset, _ = run("test")
    assert dataset.images[0].given_split == ""


def test_a_voc_folder_becomes_coco(here):
    for name in ("b", "a"):
        picture(here / f"data/images/train/{name}.jpg")
    annotation(here / "data/annotations/train/a.xml", "a.jpg", DOG, CAT)
    annotation(here / "data/annotations/train/b.xml", "b.jpg", CAT)
    dataset, figures = run()
    assert dataset.root == Path("data/images/train")
    assert dataset.classes == ("cat", "dog")
    assert dataset.problems == ()
    a, b = dataset.images
    assert (a.file_name, b.file_name) == ("a.jpg", "b.jpg")
    assert a.boxes.tolist() == [DOG[1], CAT[1]]
    assert a.source == "data/annotations/train/a.xml"
    assert a.sha256 == sha256_of(here / "data/images/train/a.jpg")
    assert figures == {"images": 2, "boxes": 3, "classes": 2, "dropped_images": 0, "problems": 0}


def test_csv_and_coco_give_the_same_data_set_as_voc(here):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    voc, _ = run()
    Path("data/labels.csv").write_text("filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,64,48,cat,1,2,30,40\n")
    from_csv, _ = run("data/labels.csv", "data")
    Path("data/labels.json").write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}],
                "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 29, 38]}],
                "categories": [{"id": 1, "name": "cat"}],
            }
        )
    )
    from_coco, _ = run("data/labels.json", "data")
    for dataset in (from_csv, from_coco):
        assert (dataset.root, dataset.classes, dataset.problems) == (voc.root, voc.classes, voc.problems)
        assert dataset.images[0].file_name == "a.jpg"
        assert dataset.images[0].sha256 == voc.images[0].sha256
        np.testing.assert_array_equal(dataset.images[0].boxes, voc.images[0].boxes)


def test_yolo_and_label_studio_give_the_same_data_set_as_voc(here):
    picture(here / "data/images/a.jpg")
    annotation(here / "voc/a.xml", "a.jpg", CAT)
    voc, _ = run("voc", "data")
    yolo(here / "data", {"labels/a.txt": f"1 {15.5 / 64} {21 / 48} {29 / 64} {38 / 48}\n"})
    from_yolo, _ = run("data", "data")
    percent = [("cat", 100 / 64, 200 / 48, 2900 / 64, 3800 / 48)]
    label_studio(here / "export.json", ("a.jpg", percent, {"original_width": 64, "original_height": 48}))
    sized, _ = run("export.json", "data")
    label_studio(here / "export.json", ("a.jpg", percent, {}))
    unsized, _ = run("export.json", "data")
    for dataset in (from_yolo, sized, unsized):
        assert (dataset.root, dataset.classes, dataset.problems) == (voc.root, ("cat",), ())
        assert (dataset.images[0].width, dataset.images[0].height) == (64, 48)
        np.testing.assert_array_equal(dataset.images[0].boxes, voc.images[0].boxes)


def test_yolo_boxes_belong_to_the_image_as_stored(here):
    exif = Image.Exif()
    exif[0x0112] = 6
    (here / "data/images").mkdir(parents=True)
    Image.new("RGB", (64, 48)).save(here / "data/images/a.jpg", exif=exif)
    yolo(here / "data", {"labels/a.txt": "0 0.5 0.5 0.5 0.5\n"})
    (image,) = run()[0].images
    assert (image.width, image.height) == (64, 48)
    assert image.boxes.tolist() == [[16, 12, 48, 36]]


def test_labels_find_their_own_among_images_of_one_name(here):
    for part, size in (("train", (100, 100)), ("valid", (200, 200))):
        picture(here / f"data/{part}/images/a.jpg", size)
        yolo(here / "data", {f"{part}/labels/a.txt": "0 0.5 0.5 0.5 0.5\n"})
    dataset, _ = run()
    assert [(i.file_name, i.boxes.tolist()) for i in dataset.images] == [
        ("train/images/a.jpg", [[25, 25, 75, 75]]),
        ("valid/images/a.jpg", [[50, 50, 150, 150]]),
    ]


def test_an_empty_label_file_is_an_image_without_objects_but_a_file_with_only_a_bad_row_is_not(here):
    for name in "abc":
        picture(here / f"data/images/{name}.jpg")
    yolo(here / "data", {"labels/a.txt": "0 0.5 0.5 0.5 0.5\n", "labels/b.txt": "", "labels/c.txt": "9 .5 .5 .5 .5"})
    dataset, _ = run()
    assert [(image.file_name, image.classes) for image in dataset.images] == [("a.jpg", ("dog",)), ("b.jpg", ())]
    assert problems_of(dataset) == [("unknown_class", "dropped_box"), ("image_left_empty", "dropped_image")]


def test_the_boxes_of_a_label_file_without_an_image_are_dropped(here):
    picture(here / "data/images/a.jpg")
    yolo(here / "data", {"labels/a.txt": "0 0.5 0.5 0.5 0.5\n", "labels/b.txt": "0 0.5 0.5 0.5 0.5\n"})
    assert problems_of(run()[0]) == [("missing_image", "dropped_image"), ("box_of_dropped_image", "dropped_box")]


def test_an_uploaded_image_is_found_under_its_own_name_and_reported(here):
    picture(here / "data/a.jpg")
    picture(here / "data/ab12cd34-b.jpg")
    picture(here / "data/b.jpg")
    boxes = [("cat", 10, 10, 50, 50)]
    label_studio(
        here / "data/export.json",
        ("/data/upload/1/ab12cd34-a.jpg", boxes, {}),
        ("/data/upload/1/ab12cd34-b.jpg", boxes, {}),
        ("/data/local-files/?d=../../secret.jpg", boxes, {}),
        ("/data/upload/1/ab12cd34-c.jpg", [], {}),
    )
    dataset, _ = run("data/export.json", "data")
    assert [image.file_name for image in dataset.images] == ["a.jpg", "ab12cd34-b.jpg"]
    assert problems_of(dataset) == [
        ("renamed_image", "kept"),
        ("path_outside_root", "dropped_image"),
        ("box_of_dropped_image", "dropped_box"),
        ("missing_image", "dropped_image"),
        ("image_without_annotation", "left_out"),
    ]
    assert dataset.problems[0].file == "data/export.json: task 1"


def test_a_folder_that_fits_two_formats_needs_ingest_format(here):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    yolo(here / "data", {"a.txt": "0 0.5 0.5 0.5 0.5\n"})
    with pytest.raises(DataError, match=r"could be voc or yolo; set ingest\.format"):
        run()
    assert run(format="voc")[0].classes == ("cat",)
    assert run(format="yolo")[0].classes == ("dog",)


@pytest.mark.parametrize(
    ("files", "source", "wanted", "message"),
    [
        ([], "nowhere", "auto", "no such file or folder"),
        ([], "data", "auto", "an empty folder"),
        (["a.txt", "b.txt", "c.bmp"], "data", "auto", r"2 \.txt, 1 \.bmp"),
        (["a.txt"], "data/a.txt", "auto", r"a \.txt file"),
        (["a.csv"], "data/a.csv", "voc", r"ingest\.format is voc"),
        (["a.xml"], "data", "csv", r"ingest\.format is csv"),
        (["a.xml"], "data/a.xml", "auto", r"a \.xml file"),
        (["a.xml"], "data", "yolo", r"ingest\.format is yolo"),
        (["a.csv"], "data/a.csv", "label_studio", r"ingest\.format is label_studio"),
    ],
    ids=["nothing", "empty", "folder", "file", "csv as voc", "voc as csv", "one XML", "voc as yolo", "csv as JSON"],
)
def test_a_source_that_fits_no_format_is_described(here, files, source, wanted, message):
    (here / "data").mkdir()
    for name in files:
        (here / "data" / name).write_text("x")
    with pytest.raises(DataError, match=message) as error:
        run(source, "data", format=wanted)
    assert "expected a folder with Pascal VOC .xml files" in str(error.value)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("content", "wanted", "message"),
    [
        (" \n[]", "auto", "no annotation of any image"),
        ("[]", "coco", "not COCO JSON"),
        ("{}", "auto", "not COCO JSON"),
        ("{}", "label_studio", "not a list; expected Label Studio's"),
        ("", "auto", "not a JSON file"),
    ],
)
def test_the_format_of_json_is_decided_by_its_first_character(here, content, wanted, message):
    Path("export.json").write_text(content)
    with pytest.raises(DataError, match=message):
        run("export.json", "images", format=wanted)
