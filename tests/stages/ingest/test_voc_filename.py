"""Stage ingest: `<filename>` in Pascal VOC that does not name the image called like the XML file."""

import pytest

from tasks.gate.policy import Policy
from tests.stages.ingest.sources import CAT, DOG, annotation, picture, problems_of, run


@pytest.mark.parametrize("folder", ["data", "data/images", "data/JPEGImages"])
def test_a_name_of_another_image_that_is_there_too_stops_by_default(here, folder):
    for number in (1, 2):
        picture(here / folder / f"{number}.jpg")
    annotations = here / ("data" if folder == "data" else "data/annotations")
    annotation(annotations / "1.xml", "1.jpg", CAT)
    annotation(annotations / "2.xml", "1.jpg", DOG)
    dataset, _ = run()
    problem = dataset.problems[0]
    assert (problem.kind, problem.action) == ("other_image_named", "kept")
    assert "<filename> is '1.jpg'" in problem.detail
    assert f"{folder}/1.jpg is there; so is {folder}/2.jpg" in problem.detail
    assert Policy("fix", {}).stops("other_image_named")
    assert not Policy("fail", {"other_image_named": "keep"}).stops("other_image_named")


def test_in_a_renumbered_set_each_neighbours_image_is_reported(here):
    for number in (1, 2, 3):
        picture(here / f"data/{number}.jpg")
        annotation(here / f"data/{number}.xml", f"{number % 3 + 1}.jpg", CAT)
    assert problems_of(run()[0]) == [("other_image_named", "kept")] * 3


@pytest.mark.parametrize("written", ["IMG_1234.jpg", "IMG_1234", r"C:\photos\IMG_1234.jpg", "/photos/IMG_1234.jpg"])
@pytest.mark.parametrize(("xml", "image"), [("5.xml", "5.jpg"), ("annotations/5.xml", "images/5.jpg")])
def test_where_the_named_image_is_missing_the_one_called_like_the_file_is_taken_and_reported(here, written, xml, image):
    picture(here / "data" / image)
    picture(here / "data/6.jpg")
    annotation(here / "data/6.xml", "6.jpg", CAT)
    annotation(here / "data" / xml, "x", DOG)
    path = here / "data" / xml
    path.write_text(path.read_text().replace("<filename>x</filename>", f"<filename>{written}</filename>"))
    dataset, _ = run()
    assert {each.file_name for each in dataset.images} == {image, "6.jpg"}
    assert problems_of(dataset) == [("renamed_image", "kept")]
    assert f"the image is data/{image}, called like the XML file" in dataset.problems[0].detail


def test_a_refused_image_is_not_replaced_by_the_one_called_like_the_file(here):
    picture(here / "data/5.jpg")
    picture(here / "outside/4.jpg")
    (here / "data/4.jpg").symlink_to(here / "outside/4.jpg")
    for name in ("a/3.jpg", "b/3.jpg"):
        picture(here / "data" / name)
    annotation(here / "data/5.xml", "4.jpg", CAT)
    annotation(here / "data/6.xml", "3.jpg", CAT)
    picture(here / "data/6.jpg")
    annotation(here / "data/7.xml", "7.jpg", CAT)
    picture(here / "data/7.jpg")
    kinds = {kind for kind, _ in problems_of(run()[0])}
    assert kinds == {"path_outside_root", "ambiguous_image", "box_of_dropped_image", "image_without_annotation"}


@pytest.mark.parametrize(
    ("images", "written"),
    [
        (["5.jpg", "5.png"], "5.png"),
        (["5.jpg", "5.png"], "5"),
        (["5.jpg"], "5.jpeg"),
        (["old/5.jpg", "4.jpg"], "4.jpg"),
        (["4.jpg"], "4.jpg"),
    ],
    ids=["two extensions", "none", "another extension", "a namesake elsewhere", "no image called like it"],
)
def test_a_name_that_contradicts_nothing_does_not_stop(here, images, written):
    for image in images:
        picture(here / "data" / image)
    annotation(here / "data/5.xml", written, CAT)
    picture(here / "data/6.jpg")
    annotation(here / "data/6.xml", "6.jpg", CAT)
    assert "other_image_named" not in {kind for kind, _ in problems_of(run()[0])}
