"""Stage ingest: every format, every way in which annotations and images miss each other, and real data."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.annotation.boxes import as_boxes
from tasks.annotation.dataset import AnnotatedImage, flags
from tasks.errors import DataError
from tasks.files import sha256_of
from tasks.formats.coco import read_coco
from tasks.formats.pascal_voc import write_voc
from tasks.ingest import ingest
from tasks.params import IngestParams

DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"
needs_datasets = pytest.mark.skipif(not DATASETS.is_dir(), reason="the real data sets are not beside the repository")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def picture(path, size=(64, 48)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "white").save(path)


def annotation(path, image_name, *objects):
    path.parent.mkdir(parents=True, exist_ok=True)
    boxes = as_boxes([box for _, box in objects])
    names = tuple(name for name, _ in objects)
    write_voc(AnnotatedImage(image_name, 64, 48, boxes, names, flags(len(names)), flags(len(names))), path)


def run(source="data", images=None, **changes):
    params = IngestParams(source=source, images=images or source, **{"format": "auto", "columns": {}, **changes})
    figures = ingest(params, ingested=Path("out/annotations.json"))
    return read_coco(Path("out/annotations.json")), figures


def problems_of(dataset):
    return [(problem.kind, problem.action) for problem in dataset.problems]


CAT = ("cat", [1, 2, 30, 40])
DOG = ("dog", [5, 6, 20, 20])


def test_the_authors_split_is_noted(here):
    for part, name in (("train", "a"), ("test", "b")):
        picture(here / f"data/images/{part}/{name}.jpg")
        annotation(here / f"data/annotations/{part}/{name}.xml", f"{name}.jpg", CAT)
    picture(here / "data/images/c.jpg")
    annotation(here / "data/annotations/c.xml", "c.jpg", CAT)
    (here / "data/ImageSets/Main").mkdir(parents=True)
    (here / "data/ImageSets/Main/val.txt").write_text("c\n")
    dataset, _ = run()
    assert {image.file_name: image.given_part for image in dataset.images} == {
        "train/a.jpg": "train",
        "test/b.jpg": "test",
        "c.jpg": "val",
    }


def test_a_folder_above_the_data_says_nothing_of_a_split(here):
    picture(here / "test/images/a.jpg")
    annotation(here / "test/annotations/a.xml", "a.jpg", CAT)
    dataset, _ = run("test")
    assert dataset.images[0].given_part == ""


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


def test_a_csv_file_and_a_coco_file_say_the_same_as_voc(here):
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


def yolo(folder, files, names="dog\ncat\n"):
    for name, rows in {"classes.txt": names, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(rows)


def label_studio(path, *images):
    """One task an image: its name, its boxes in percent as `(class, x, y, width, height)`, more of each result."""
    tasks = []
    for number, (image, boxes, more) in enumerate(images, start=1):
        results = [
            {
                "type": "rectanglelabels",
                "value": {"x": x, "y": y, "width": width, "height": height, "rectanglelabels": [name]},
                **more,
            }
            for name, x, y, width, height in boxes
        ]
        tasks.append({"id": number, "data": {"image": image}, "annotations": [{"result": results}]})
    path.write_text(json.dumps(tasks))


def test_yolo_and_label_studio_say_the_same_as_voc(here):
    picture(here / "data/images/a.jpg")
    annotation(here / "voc/a.xml", "a.jpg", CAT)
    voc, _ = run("voc", "data")
    yolo(here / "data", {"labels/a.txt": f"1 {15.5 / 64} {21 / 48} {29 / 64} {38 / 48}\n"})
    from_yolo, _ = run("data", "data")
    percent = [("cat", 100 / 64, 200 / 48, 2900 / 64, 3800 / 48)]
    label_studio(here / "said.json", ("a.jpg", percent, {"original_width": 64, "original_height": 48}))
    sized, _ = run("said.json", "data")
    label_studio(here / "said.json", ("a.jpg", percent, {}))
    unsized, _ = run("said.json", "data")
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


def test_labels_of_images_with_equal_names_find_their_own(here):
    for part, size in (("train", (100, 100)), ("valid", (200, 200))):
        picture(here / f"data/{part}/images/a.jpg", size)
        yolo(here / "data", {f"{part}/labels/a.txt": "0 0.5 0.5 0.5 0.5\n"})
    dataset, _ = run()
    assert [(i.file_name, i.boxes.tolist()) for i in dataset.images] == [
        ("train/images/a.jpg", [[25, 25, 75, 75]]),
        ("valid/images/a.jpg", [[50, 50, 150, 150]]),
    ]


def test_an_image_whose_size_cannot_be_read_is_dropped_with_its_boxes(here):
    picture(here / "data/images/a.jpg")
    (here / "data/images/b.jpg").write_text("not an image")
    yolo(here / "data", {f"labels/{name}.txt": "0 0.5 0.5 0.5 0.5\n" * 2 for name in "ab"})
    dataset, figures = run()
    assert [(p.kind, p.action, p.file) for p in dataset.problems] == [
        ("unreadable_image", "dropped_image", "data/images/b.jpg"),
        ("box_of_dropped_image", "dropped_box", "data/labels/b.txt"),
        ("box_of_dropped_image", "dropped_box", "data/labels/b.txt"),
    ]
    assert "not an image in a known format" in dataset.problems[0].detail
    assert figures["images"] == 1


def test_an_empty_label_file_is_an_image_without_objects_and_a_bad_row_alone_is_not(here):
    for name in "abc":
        picture(here / f"data/images/{name}.jpg")
    yolo(here / "data", {"labels/a.txt": "0 0.5 0.5 0.5 0.5\n", "labels/b.txt": "", "labels/c.txt": "9 .5 .5 .5 .5"})
    dataset, _ = run()
    assert [(image.file_name, image.classes) for image in dataset.images] == [("a.jpg", ("dog",)), ("b.jpg", ())]
    assert problems_of(dataset) == [("unknown_class", "dropped_box"), ("image_left_empty", "dropped_image")]


def test_a_label_without_its_image_takes_its_boxes_with_it(here):
    picture(here / "data/images/a.jpg")
    yolo(here / "data", {"labels/a.txt": "0 0.5 0.5 0.5 0.5\n", "labels/b.txt": "0 0.5 0.5 0.5 0.5\n"})
    assert problems_of(run()[0]) == [("missing_image", "dropped_image"), ("box_of_dropped_image", "dropped_box")]


def test_an_uploaded_image_is_found_under_its_own_name_and_told_of(here):
    picture(here / "data/a.jpg")
    picture(here / "data/ab12cd34-b.jpg")
    picture(here / "data/b.jpg")
    boxes = [("cat", 10, 10, 50, 50)]
    label_studio(
        here / "data/said.json",
        ("/data/upload/1/ab12cd34-a.jpg", boxes, {}),
        ("/data/upload/1/ab12cd34-b.jpg", boxes, {}),
        ("/data/local-files/?d=../../secret.jpg", boxes, {}),
        ("/data/upload/1/ab12cd34-c.jpg", [], {}),
    )
    dataset, _ = run("data/said.json", "data")
    assert [image.file_name for image in dataset.images] == ["a.jpg", "ab12cd34-b.jpg"]
    assert problems_of(dataset) == [
        ("renamed_image", "kept"),
        ("path_outside_root", "dropped_image"),
        ("box_of_dropped_image", "dropped_box"),
        ("missing_image", "dropped_image"),
        ("image_without_annotation", "left_out"),
    ]
    assert dataset.problems[0].file == "data/said.json: task 1"


def test_a_folder_that_two_formats_expect_must_be_named(here):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    yolo(here / "data", {"a.txt": "0 0.5 0.5 0.5 0.5\n"})
    with pytest.raises(DataError, match="could be voc or yolo; say which one"):
        run()
    assert run(format="voc")[0].classes == ("cat",)
    assert run(format="yolo")[0].classes == ("dog",)


def test_images_may_lie_in_another_folder_outside_the_project(here, monkeypatch):
    picture(here / "photos/a.jpg")
    annotation(here / "project/labels/a.xml", "a.jpg", CAT)
    monkeypatch.chdir(here / "project")
    dataset, _ = run("labels", "../photos")
    assert dataset.root == Path("../photos")
    assert dataset.image_path(dataset.images[0]).is_file()


def test_a_linked_folder_beside_a_csv_file_is_searched_where_the_params_name_it(here):
    picture(here / "elsewhere/train/a.jpg")
    (here / "data").mkdir()
    (here / "data/train").symlink_to(here / "elsewhere/train")
    (here / "data/train.csv").write_text("filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,64,48,cat,1,2,30,40\n")
    dataset, figures = run("data/train.csv", images="data/train")
    assert (figures["images"], problems_of(dataset)) == (1, [])
    assert dataset.image_path(dataset.images[0]) == Path("data/train/a.jpg")
    with pytest.raises(DataError, match="data/train: a link to a folder outside: not searched"):
        run("data/train.csv", images="data")


@pytest.mark.parametrize(
    ("link", "cwd", "source"),
    [("data/images", ".", "data"), ("data/images", ".", "data/../data"), ("data/below/images", "data/below", "..")],
    ids=["in the source", "called otherwise", "beside the folder that is worked in"],
)
def test_a_link_within_the_source_is_not_followed_because_images_are_usually_there(
    here, monkeypatch, link, cwd, source
):
    picture(here / "elsewhere/a.jpg")
    picture(here / "data/b.jpg")
    for name in ("a", "b"):
        annotation(here / f"data/{name}.xml", f"{name}.jpg", CAT)
    (here / "data/below").mkdir()
    (here / link).symlink_to(here / "elsewhere")
    monkeypatch.chdir(here / cwd)
    dataset, _ = run(source)
    assert [image.file_name for image in dataset.images] == ["b.jpg"]


def test_images_without_pixels_are_ingested_because_none_is_decoded(here):
    (here / "data").mkdir()
    (here / "data/a.jpg").write_text("not an image")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    assert len(run()[0].images) == 1


def test_a_second_run_writes_the_same_bytes(here):
    for name in ("a", "b", "c"):
        picture(here / f"data/{name}.jpg")
        annotation(here / f"data/{name}.xml", f"{name}.jpg", CAT)
    run()
    first = Path("out/annotations.json").read_bytes()
    run()
    assert Path("out/annotations.json").read_bytes() == first


def test_an_unreadable_annotation_is_listed_and_the_others_stay(here):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    (here / "data/b.xml").write_text("<annotation>")
    dataset, figures = run()
    assert problems_of(dataset) == [("unreadable_annotation", "dropped_image")]
    assert dataset.problems[0].file == "data/b.xml"
    assert figures["dropped_images"] == 1


def test_a_missing_image_takes_its_boxes_with_it_one_by_one(here):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    annotation(here / "data/b.xml", "b.jpg", CAT, DOG)
    dataset, _ = run()
    assert problems_of(dataset) == [
        ("missing_image", "dropped_image"),
        ("box_of_dropped_image", "dropped_box"),
        ("box_of_dropped_image", "dropped_box"),
    ]
    assert {problem.file for problem in dataset.problems} == {"data/b.xml"}
    assert dataset.classes == ("cat",)


def test_an_image_outside_the_folders_is_refused(here):
    picture(here / "secret.jpg")
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    path = here / "data/b.xml"
    annotation(path, "b.jpg", CAT)
    path.write_text(path.read_text().replace("b.jpg", "../secret.jpg"))
    dataset, _ = run()
    assert problems_of(dataset)[0] == ("path_outside_root", "dropped_image")
    assert [image.file_name for image in dataset.images] == ["a.jpg"]


def test_a_wrong_extension_is_told_of_and_the_image_stays(here):
    picture(here / "data/a.png")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    dataset, _ = run()
    assert problems_of(dataset) == [("renamed_image", "kept")]
    assert dataset.images[0].file_name == "a.png"


def test_of_two_annotations_of_an_image_the_first_stays(here):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    annotation(here / "data/copy/a.xml", "a.jpg", DOG, DOG)
    dataset, _ = run()
    assert dataset.images[0].classes == ("cat",)
    assert problems_of(dataset) == [
        ("image_annotated_twice", "dropped_image"),
        ("box_of_dropped_image", "dropped_box"),
        ("box_of_dropped_image", "dropped_box"),
    ]
    assert "data/a.xml" in dataset.problems[0].detail


def test_problems_say_which_image_they_are_of_where_it_was_found(here):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        picture(here / "data" / name)
    annotation(here / "data/a.xml", "a.jpg", CAT, ("", [3, 4, 9, 9]))
    annotation(here / "data/b.xml", "a.jpg", DOG)
    annotation(here / "data/c.xml", "c.jpg", CAT, DOG)
    broken = (here / "data/c.xml").read_text().replace("<xmax>20</xmax>", "<xmax>wide</xmax>")
    (here / "data/c.xml").write_text(broken)
    annotation(here / "data/d.xml", "d.jpg", CAT)
    dataset, _ = run()
    assert {(p.kind, p.image, p.box) for p in dataset.problems} == {
        ("empty_class_name", "data/a.jpg", (3.0, 4.0, 9.0, 9.0)),
        ("image_annotated_twice", "data/a.jpg", None),
        ("box_of_dropped_image", "data/a.jpg", (5.0, 6.0, 20.0, 20.0)),
        ("unreadable_object", "data/c.jpg", None),
        ("image_without_annotation", "data/b.jpg", None),
        ("missing_image", "", None),
        ("box_of_dropped_image", "", (1.0, 2.0, 30.0, 40.0)),
    }


def test_the_box_of_a_yolo_row_is_told_in_pixels_or_not_at_all(here):
    yolo(here / "data", {"labels/a.txt": "0 0.5 0.5 0.5 0.5\n", "labels/b.txt": "0 0.5 0.5 0.5 0.5\n"})
    picture(here / "data/images/a.jpg")
    dataset, _ = run()
    assert [(p.kind, p.image, p.box) for p in dataset.problems] == [
        ("missing_image", "", None),
        ("box_of_dropped_image", "", None),
    ]


def test_images_and_boxes_that_a_foreign_file_gives_its_problems_are_not_believed(here):
    annotation(here / "data/a.xml", "a.jpg", CAT)
    picture(here / "data/a.jpg")
    run()
    content = json.loads(Path("out/annotations.json").read_text())
    content["problems"] = [
        {"kind": "x", "file": "y", "detail": "", "action": "kept", "image": "/secret.png", "box": [1, 2, 3, 4]}
    ]
    Path("data/again.json").write_text(json.dumps(content))
    dataset, _ = run("data/again.json", images="data")
    assert [(p.kind, p.image, p.box) for p in dataset.problems] == [("x", "", None)]


def test_images_without_annotation_are_listed_and_are_no_losses(here):
    for name in ("a", "b", "c"):
        picture(here / f"data/{name}.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    dataset, figures = run()
    assert [(p.kind, p.file) for p in dataset.problems] == [
        ("image_without_annotation", "data/b.jpg"),
        ("image_without_annotation", "data/c.jpg"),
    ]
    assert figures["dropped_images"] == 0


def test_an_object_without_a_class_name_is_dropped(here):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT, ("  ", [1, 1, 9, 9]))
    dataset, _ = run()
    assert problems_of(dataset) == [("empty_class_name", "dropped_box")]
    assert dataset.images[0].classes == ("cat",)


def test_an_image_that_lost_all_of_its_objects_is_no_background(here):
    for name in ("a", "b", "c"):
        picture(here / f"data/{name}.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    annotation(here / "data/b.xml", "b.jpg", ("", [1, 1, 9, 9]))
    annotation(here / "data/c.xml", "c.jpg")
    dataset, _ = run()
    assert [image.file_name for image in dataset.images] == ["a.jpg", "c.jpg"]
    assert problems_of(dataset) == [("empty_class_name", "dropped_box"), ("image_left_empty", "dropped_image")]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "1.7e308", "1e200", "-Infinity"])
def test_numbers_in_coco_that_no_image_has_are_problems(here, number):
    picture(here / "data/a.jpg")
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"id": i, "image_id": 1, "category_id": 1, "bbox": [i, 2, 3, 4]} for i in (1, 2)],
        "categories": [{"id": 1, "name": "cat"}],
    }
    Path("data/labels.json").write_text(json.dumps(content).replace("[2, 2, 3, 4]", f"[2, 2, {number}, 4]"))
    dataset, _ = run("data/labels.json", "data")
    assert problems_of(dataset) == [("unreadable_object", "dropped_box")]
    assert len(dataset.images[0].classes) == 1


@pytest.mark.parametrize("number", ["1e400", "1e308", "-1e200", "1e10"])
def test_numbers_in_voc_and_csv_that_no_image_has_are_problems(here, number):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT, DOG)
    path = here / "data/a.xml"
    path.write_text(path.read_text().replace("<xmin>5<", f"<xmin>{number}<"))
    Path("data/labels.csv").write_text(f"a.jpg,1,2,3,4,cat\na.jpg,{number},2,3,4,dog\n")
    for source in ("data", "data/labels.csv"):
        dataset, _ = run(source, "data")
        assert problems_of(dataset) == [("unreadable_object", "dropped_box")]
        assert dataset.images[0].classes == ("cat",)


def test_a_row_of_a_csv_file_is_named_by_its_line(here):
    picture(here / "data/a.jpg")
    Path("data/labels.csv").write_text(
        "filename,class,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,3,4\nb.jpg,cat,1,2,3,4\na.jpg,cat,1,2,x,4\n"
    )
    dataset, _ = run("data/labels.csv", "data")
    assert [(p.kind, p.file) for p in dataset.problems] == [
        ("unreadable_object", "data/labels.csv:4"),
        ("missing_image", "data/labels.csv:3"),
        ("box_of_dropped_image", "data/labels.csv:3"),
    ]


def test_class_names_that_differ_in_blanks_at_the_ends_are_one_class(here):
    picture(here / "data/a.jpg")
    Path("data/labels.json").write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "a.jpg"}],
                "annotations": [{"id": i, "image_id": 1, "category_id": i, "bbox": [i, 2, 3, 4]} for i in (1, 2)],
                "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": " cat\n"}],
            }
        )
    )
    assert run("data/labels.json", "data")[0].classes == ("cat",)


def test_a_folder_that_dvc_does_not_watch_is_told_of(here, capsys):
    picture(here / "set/images/a.jpg")
    annotation(here / "set/annotations/a.xml", "a.jpg", CAT)
    run("set/annotations", "set/annotations")
    assert "set ingest.images: set/images" in capsys.readouterr().out
    run("set/annotations", "set")
    assert "note" not in capsys.readouterr().out


def test_the_images_folder_left_at_another_data_set_adds_nothing(here):
    picture(here / "mine/a.jpg")
    annotation(here / "mine/a.xml", "a.jpg", CAT)
    picture(here / "sample/a.jpg")
    picture(here / "sample/b.jpg")
    dataset, _ = run("mine", "sample")
    assert dataset.root == Path("mine")
    assert dataset.problems == ()


@pytest.mark.parametrize(
    ("files", "source", "wanted", "said"),
    [
        ([], "nowhere", "auto", "no such file or folder"),
        ([], "data", "auto", "an empty folder"),
        (["a.txt", "b.txt", "c.csv"], "data", "auto", r"2 \.txt, 1 \.csv"),
        (["a.txt"], "data/a.txt", "auto", r"a \.txt file"),
        (["a.csv"], "data/a.csv", "voc", r"ingest\.format is voc"),
        (["a.xml"], "data", "csv", r"ingest\.format is csv"),
        (["a.xml"], "data/a.xml", "auto", r"a \.xml file"),
        (["a.xml"], "data", "yolo", r"ingest\.format is yolo"),
        (["a.csv"], "data/a.csv", "label_studio", r"ingest\.format is label_studio"),
    ],
    ids=["nothing", "empty", "folder", "file", "csv as voc", "voc as csv", "one XML", "voc as yolo", "csv as JSON"],
)
def test_a_source_that_no_format_expects_is_described(here, files, source, wanted, said):
    (here / "data").mkdir()
    for name in files:
        (here / "data" / name).write_text("x")
    with pytest.raises(DataError, match=said) as error:
        run(source, "data", format=wanted)
    assert "expected a folder with Pascal VOC .xml files" in str(error.value)
    assert not Path("out").exists()


def test_no_usable_image_stops_with_the_reasons(here):
    annotation(here / "data/a.xml", "a.jpg", CAT)
    with pytest.raises(DataError, match="no usable image") as error:
        run()
    assert "missing_image" in str(error.value)
    assert "set ingest.images" in str(error.value)
    assert not Path("out").exists()


def test_a_file_name_that_is_not_utf8_is_named(here):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    (here / "data" / os.fsdecode(b"b\xff.jpg")).write_text("x")
    with pytest.raises(DataError, match="not UTF-8; rename it") as error:
        run()
    assert r"data/b\udcff.jpg" in str(error.value)
    assert not Path("out/annotations.json").exists()


@pytest.mark.parametrize(
    ("content", "wanted", "said"),
    [
        (" \n[]", "auto", "holds no annotation"),
        ("[]", "coco", "not COCO JSON"),
        ("{}", "auto", "not COCO JSON"),
        ("{}", "label_studio", "not a list; expected Label Studio's"),
        ("", "auto", "not a JSON file"),
    ],
)
def test_json_is_told_by_how_it_begins(here, content, wanted, said):
    Path("said.json").write_text(content)
    with pytest.raises(DataError, match=said):
        run("said.json", "images", format=wanted)


@needs_datasets
@pytest.mark.parametrize(
    ("source", "images", "boxes", "kinds"),
    [
        ("guns", 333, 428, set()),
        ("ppe_covid", 416, 1970, {"missing_image", "box_of_dropped_image"}),
        ("bccd/annotations", 364, 4888, set()),
        ("bccd/test.csv", 364, 4888, set()),
        ("ducky/train.csv", 5, 5, {"image_without_annotation"}),
    ],
)
def test_real_data_is_ingested_whole(here, source, images, boxes, kinds):
    folder = source.split("/")[0]
    dataset, figures = run(DATASETS / source, DATASETS / folder)
    assert (figures["images"], figures["boxes"]) == (images, boxes)
    assert {problem.kind for problem in dataset.problems} == kinds
    assert all(dataset.image_path(image).is_file() for image in dataset.images)


@needs_datasets
def test_both_forms_of_the_blood_smears_hold_the_same_boxes(here):
    voc, _ = run(DATASETS / "bccd/annotations", DATASETS / "bccd")
    from_csv, _ = run(DATASETS / "bccd/test.csv", DATASETS / "bccd")
    for a, b in zip(voc.images, from_csv.images, strict=True):
        assert (a.file_name, a.sha256) == (b.file_name, b.sha256)
        objects = [sorted(zip(image.classes, image.boxes.tolist(), strict=True)) for image in (a, b)]
        assert objects[0] == objects[1]
