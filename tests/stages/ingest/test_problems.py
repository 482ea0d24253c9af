"""Stage ingest: what cannot be used is listed, and the rest stays."""

import json
from pathlib import Path

import pytest

from tasks.errors import DataError
from tests.stages.ingest.sources import CAT, DOG, annotation, picture, problems_of, run, yolo


def test_a_second_run_writes_the_same_bytes(here):
    for name in ("a", "b", "c"):
        picture(here / f"data/{name}.jpg")
        annotation(here / f"data/{name}.xml", f"{name}.jpg", CAT)
    run()
    first = Path("out/annotations.json").read_bytes()
    run()
    assert Path("out/annotations.json").read_bytes() == first


def test_an_unreadable_annotation_is_listed_and_the_others_are_read(here):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    (here / "data/b.xml").write_text("<annotation>")
    dataset, figures = run()
    assert problems_of(dataset) == [("unreadable_annotation", "dropped_image")]
    assert dataset.problems[0].file == "data/b.xml"
    assert figures["dropped_images"] == 1


def test_the_first_of_two_annotations_of_an_image_is_kept(here):
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


def test_problems_name_their_image_where_it_was_found(here):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        picture(here / "data" / name)
    annotation(here / "data/a.xml", "a.jpg", CAT, ("", [3, 4, 9, 9]))
    annotation(here / "data/b2.xml", "a.jpg", DOG)
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


def test_the_box_of_a_problem_in_a_yolo_row_is_in_pixels_or_missing(here):
    yolo(here / "data", {"labels/a.txt": "0 0.5 0.5 0.5 0.5\n", "labels/b.txt": "0 0.5 0.5 0.5 0.5\n"})
    picture(here / "data/images/a.jpg")
    dataset, _ = run()
    assert [(p.kind, p.image, p.box) for p in dataset.problems] == [
        ("missing_image", "", None),
        ("box_of_dropped_image", "", None),
    ]


def test_images_and_boxes_of_problems_in_a_foreign_file_are_dropped(here):
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


def test_an_object_without_a_class_name_is_dropped(here):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT, ("  ", [1, 1, 9, 9]))
    dataset, _ = run()
    assert problems_of(dataset) == [("empty_class_name", "dropped_box")]
    assert dataset.images[0].classes == ("cat",)


def test_an_image_whose_objects_were_all_dropped_is_not_background(here):
    for name in ("a", "b", "c"):
        picture(here / f"data/{name}.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    annotation(here / "data/b.xml", "b.jpg", ("", [1, 1, 9, 9]))
    annotation(here / "data/c.xml", "c.jpg")
    dataset, _ = run()
    assert [image.file_name for image in dataset.images] == ["a.jpg", "c.jpg"]
    assert problems_of(dataset) == [("empty_class_name", "dropped_box"), ("image_left_empty", "dropped_image")]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "1.7e308", "1e200", "-Infinity"])
def test_impossible_numbers_in_coco_are_problems(here, number):
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
def test_impossible_numbers_in_voc_and_csv_are_problems(here, number):
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


def test_class_names_are_stripped_of_blanks(here):
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


def test_a_source_without_a_usable_image_is_refused_with_the_reasons(here):
    annotation(here / "data/a.xml", "a.jpg", CAT)
    with pytest.raises(DataError, match="no usable image") as error:
        run()
    assert "missing_image" in str(error.value)
    assert "set ingest.images" in str(error.value)
    assert not Path("out").exists()
