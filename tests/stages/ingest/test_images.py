"""Stage ingest: where images are found, and which are refused."""

import os
from pathlib import Path

import pytest

from tasks.errors import DataError
from tests.stages.ingest.sources import CAT, DOG, annotation, picture, problems_of, run, yolo


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
    with pytest.raises(DataError, match="data/train: a link to a folder outside: it is not searched"):
        run("data/train.csv", images="data")


@pytest.mark.parametrize(
    ("link", "cwd", "source"),
    [("data/images", ".", "data"), ("data/images", ".", "data/../data"), ("data/below/images", "data/below", "..")],
    ids=["in the source", "called otherwise", "beside the folder that is worked in"],
)
def test_a_link_inside_the_source_is_not_followed_even_where_images_usually_are(here, monkeypatch, link, cwd, source):
    picture(here / "elsewhere/a.jpg")
    picture(here / "data/b.jpg")
    for name in ("a", "b"):
        annotation(here / f"data/{name}.xml", f"{name}.jpg", CAT)
    (here / "data/below").mkdir()
    (here / link).symlink_to(here / "elsewhere")
    monkeypatch.chdir(here / cwd)
    dataset, _ = run(source)
    assert [image.file_name for image in dataset.images] == ["b.jpg"]


def test_images_without_pixels_are_ingested_because_no_pixel_is_decoded(here):
    (here / "data").mkdir()
    (here / "data/a.jpg").write_text("not an image")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    assert len(run()[0].images) == 1


def test_each_box_of_a_missing_image_is_a_dropped_box(here):
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


def test_a_wrong_extension_is_reported_and_the_image_is_kept(here):
    picture(here / "data/a.png")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    dataset, _ = run()
    assert problems_of(dataset) == [("renamed_image", "kept")]
    assert dataset.images[0].file_name == "a.png"


def test_images_without_annotation_are_listed_but_not_counted_as_dropped(here):
    for name in ("a", "b", "c"):
        picture(here / f"data/{name}.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    dataset, figures = run()
    assert [(p.kind, p.file) for p in dataset.problems] == [
        ("image_without_annotation", "data/b.jpg"),
        ("image_without_annotation", "data/c.jpg"),
    ]
    assert figures["dropped_images"] == 0


def test_a_folder_that_dvc_does_not_watch_is_printed(here, capsys):
    picture(here / "set/images/a.jpg")
    annotation(here / "set/annotations/a.xml", "a.jpg", CAT)
    run("set/annotations", "set/annotations")
    assert "set ingest.images: set/images" in capsys.readouterr().out
    run("set/annotations", "set")
    assert "note" not in capsys.readouterr().out


def test_an_images_folder_of_another_data_set_adds_nothing(here):
    picture(here / "mine/a.jpg")
    annotation(here / "mine/a.xml", "a.jpg", CAT)
    picture(here / "sample/a.jpg")
    picture(here / "sample/b.jpg")
    dataset, _ = run("mine", "sample")
    assert dataset.root == Path("mine")
    assert dataset.problems == ()


def test_a_file_name_that_is_not_utf8_is_refused_by_name(here):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", CAT)
    (here / "data" / os.fsdecode(b"b\xff.jpg")).write_text("x")
    with pytest.raises(DataError, match="not UTF-8; rename it") as error:
        run()
    assert r"data/b\udcff.jpg" in str(error.value)
    assert not Path("out/annotations.json").exists()
