"""Stage ingest: names that differ in their Unicode form, and names that tools made of the images' own."""

import json
import unicodedata

import pytest

from tests.stages.ingest.sources import CAT, annotation, label_studio, picture, problems_of, run, yolo

COMPOSED, APART = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))
UPLOADED = "ab12cd34-IMG_1_1"
ORIGINAL = "IMG 1 (1).jpg"
RENAMED = [("renamed_image", "kept")]


def coco(path, *file_names, classes=("cat",)):
    content = {
        "images": [{"id": i, "file_name": name, "width": 64, "height": 48} for i, name in enumerate(file_names)],
        "annotations": [
            {"id": i, "image_id": i, "category_id": i % len(classes), "bbox": [1, 2, 29, 38]}
            for i in range(len(file_names))
        ],
        "categories": [{"id": i, "name": name} for i, name in enumerate(classes)],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def annotated(here, kind, name):
    """A source of the format `kind` with one image, called `name` without its extension; its path."""
    path = here / "data" / {"csv": "x.csv", "coco": "x.json", "label_studio": "x.json"}.get(kind, "")
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "voc":
        annotation(path / f"{name}.xml", f"{name}.jpg", CAT)
    elif kind == "yolo":
        yolo(path, {f"labels/{name}.txt": "1 0.5 0.5 0.5 0.5\n"})
    elif kind == "csv":
        path.write_text(f"filename,class,xmin,ymin,xmax,ymax\n{name}.jpg,cat,1,2,30,40\n")
    elif kind == "coco":
        coco(path, f"images/{name}.jpg")
    else:
        label_studio(path, (f"/data/upload/1/{name}.jpg", [("cat", 10, 10, 50, 50)], {}))
    return path


ALL = pytest.mark.parametrize("kind", ["voc", "yolo", "csv", "coco", "label_studio"])


@ALL
@pytest.mark.parametrize(("written", "stored"), [(COMPOSED, APART), (APART, COMPOSED), (APART, APART)])
def test_an_image_is_found_whatever_the_unicode_form_of_its_name(here, kind, written, stored):
    picture(here / f"photos/{stored}.jpg")
    dataset, _ = run(annotated(here, kind, written), "photos")
    assert [image.file_name for image in dataset.images] == [f"{stored}.jpg"]
    assert dataset.problems == ()


@ALL
def test_an_upload_to_label_studio_is_found_under_its_own_name_and_reported(here, kind):
    picture(here / "photos" / ORIGINAL)
    dataset, _ = run(annotated(here, kind, UPLOADED), "photos")
    assert [(image.file_name, image.classes) for image in dataset.images] == [(ORIGINAL, ("cat",))]
    assert problems_of(dataset) == RENAMED
    assert ORIGINAL in dataset.problems[0].detail


@ALL
def test_two_files_that_an_upload_may_have_been_are_named_and_none_is_taken(here, kind):
    for name in (ORIGINAL, "IMG_1_1.jpg", "z.jpg"):
        picture(here / "photos" / name)
    annotated(here, kind, "z")
    if kind in ("voc", "yolo"):
        source = annotated(here, kind, UPLOADED)
    elif kind == "csv":
        source = here / "data/x.csv"
        source.write_text(f"{source.read_text()}{UPLOADED}.jpg,cat,1,2,30,40\n")
    elif kind == "coco":
        source = here / "data/x.json"
        coco(source, "z.jpg", f"images/{UPLOADED}.jpg")
    else:
        source = here / "data/x.json"
        boxes = [("cat", 10, 10, 50, 50)]
        label_studio(source, ("z.jpg", boxes, {}), (f"/data/upload/1/{UPLOADED}.jpg", boxes, {}))
    dataset, _ = run(source, "photos")
    assert [image.file_name for image in dataset.images] == ["z.jpg"]
    problem = dataset.problems[0]
    assert (problem.kind, problem.action) == ("ambiguous_image", "dropped_image")
    assert f"photos/{ORIGINAL}, photos/IMG_1_1.jpg" in problem.detail


@ALL
@pytest.mark.parametrize(("written", "stored"), [("IMG%201", "IMG 1"), ("IMG 1", "IMG%201"), ("a%2Bb", "a+b")])
def test_a_percent_encoded_name_is_found_and_reported(here, kind, written, stored):
    picture(here / f"photos/{stored}.jpg")
    dataset, _ = run(annotated(here, kind, written), "photos")
    assert [image.file_name for image in dataset.images] == [f"{stored}.jpg"]
    # Addresses in Label Studio's own exports are encoded: nothing was renamed.
    assert problems_of(dataset) == ([] if kind == "label_studio" and "%" in written else RENAMED)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/local-files/?d=photos/a & b.jpg", "a & b.jpg"),
        ("/data/local-files/?d=photos/a #1.jpg", "a #1.jpg"),
        ("/data/local-files/?d=photos/a%26b%231%2B2.jpg", "a&b#1+2.jpg"),
        ("s3://bucket/photos/a #1 100%.jpg", "a #1 100%.jpg"),
    ],
)
def test_signs_that_mean_something_in_an_address_may_stand_in_names(here, address, name):
    picture(here / "photos" / name)
    label_studio(here / "x.json", (address, [("cat", 10, 10, 50, 50)], {}))
    dataset, _ = run("x.json", "photos")
    assert ([image.file_name for image in dataset.images], dataset.problems) == ([name], ())


@pytest.mark.parametrize("name", ["a+b.jpg", "a b.jpg"])
def test_a_plus_sign_in_the_address_of_a_local_file_may_be_a_space(here, name):
    address = "/data/local-files/?d=photos/a+b.jpg"
    picture(here / "photos" / name)
    boxes = [("cat", 10, 10, 50, 50)]
    label_studio(here / "x.json", (address, boxes, {}))
    dataset, _ = run("x.json", "photos")
    assert ([image.file_name for image in dataset.images], problems_of(dataset)) == ([name], RENAMED)
    for other in ("a+b.jpg", "a b.jpg", "z.jpg"):
        picture(here / "photos" / other)
    label_studio(here / "x.json", (address, boxes, {}), ("z.jpg", boxes, {}))
    dataset, _ = run("x.json", "photos")
    assert [image.file_name for image in dataset.images] == ["z.jpg"]
    assert "could be any of 2 files: photos/a b.jpg, photos/a+b.jpg" in dataset.problems[0].detail


@pytest.mark.parametrize(
    "name",
    [
        rf"..\..\label-studio\label-studio\media\upload\4\{UPLOADED}.jpg",
        f"/data/upload/4/{UPLOADED}.jpg",
        f"images/01234567__{UPLOADED}.jpg",
        "images/01234567__IMG%201%20(1).jpg",
        "/data/local-files/?d=photos/IMG%201%20(1).jpg",
    ],
)
def test_each_form_of_names_in_label_studios_coco_is_found(here, name):
    picture(here / "photos" / ORIGINAL)
    coco(here / "data/result.json", name)
    dataset, _ = run("data/result.json", "photos")
    assert ([image.file_name for image in dataset.images], problems_of(dataset)) == ([ORIGINAL], RENAMED)


@pytest.mark.parametrize(("names", "spelled"), [((COMPOSED, APART, APART), APART), ((COMPOSED, APART), APART)])
def test_class_names_that_look_the_same_are_one_class_as_most_often_written(here, names, spelled):
    for number, name in enumerate(names):
        picture(here / f"data/{number}.jpg")
        annotation(here / f"data/{number}.xml", f"{number}.jpg", (name, [1, 2, 30, 40]))
    dataset, figures = run()
    assert (dataset.classes, figures["classes"], dataset.problems) == ((spelled,), 1, ())
    assert {name for image in dataset.images for name in image.classes} == {spelled}


def test_two_categories_that_look_the_same_are_one_class(here):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        picture(here / "data" / name)
    coco(here / "data/x.json", "a.jpg", "b.jpg", "c.jpg", classes=(COMPOSED, APART))
    dataset, _ = run("data/x.json", "data")
    assert dataset.classes == (COMPOSED,)


def test_a_class_is_written_as_it_was_found(here):
    picture(here / "data/a.jpg")
    annotation(here / "data/a.xml", "a.jpg", (APART, [1, 2, 30, 40]))
    assert run()[0].classes == (APART,)


def test_rows_whose_names_look_the_same_are_of_one_image(here):
    picture(here / f"data/{APART}.jpg")
    rows = "".join(f"{name}.jpg,cat,{x},2,30,40\n" for x, name in enumerate((COMPOSED, APART)))
    (here / "data/x.csv").write_text(f"filename,class,xmin,ymin,xmax,ymax\n{rows}")
    dataset, _ = run("data/x.csv", "data")
    assert [(image.file_name, len(image.classes)) for image in dataset.images] == [(f"{APART}.jpg", 2)]


def test_the_authors_list_names_an_image_whatever_its_unicode_form(here):
    picture(here / f"data/JPEGImages/{APART}.jpg")
    annotation(here / f"data/Annotations/{APART}.xml", f"{APART}.jpg", CAT)
    (here / "data/ImageSets/Main").mkdir(parents=True)
    (here / "data/ImageSets/Main/test.txt").write_text(f"{COMPOSED}\n")
    assert run()[0].images[0].given_split == "test"
