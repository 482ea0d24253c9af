"""Stage ingest: YOLO labels find their own images, in every layout."""

from tests.stages.ingest.sources import CAT, annotation, picture, problems_of, run, yolo

ROW = "0 .5 .5 .5 .5\n"
OTHER = "1 .2 .2 .1 .1\n"


def owners(dataset):
    return {image.file_name: image.source.removeprefix("data/") for image in dataset.images}


def test_a_name_with_two_extensions_is_compared_whole_first(here):
    for name in ("a.jpg", "a.jpg.jpg", "pic0.webp.jpg", "c.jpg"):
        picture(here / "data/images" / name)
    names = ("a", "a.jpg", "pic0.webp", "c.jpg")
    yolo(here / "data", {f"labels/{name}.txt": ROW for name in names})
    dataset, _ = run()
    assert dataset.problems == ()
    assert owners(dataset) == {
        "a.jpg": "labels/a.txt",
        "a.jpg.jpg": "labels/a.jpg.txt",
        "pic0.webp.jpg": "labels/pic0.webp.txt",
        "c.jpg": "labels/c.jpg.txt",
    }


def test_a_voc_file_finds_an_image_with_two_extensions_and_a_written_name_is_taken_exactly_first(here):
    for name in ("a.jpg", "a.jpg.jpg", "b.png.jpg"):
        picture(here / "data" / name)
    annotation(here / "data/1.xml", "a.jpg", CAT)
    annotation(here / "data/2.xml", "a.jpg.jpg", CAT)
    annotation(here / "data/3.xml", "b.png", CAT)
    dataset, _ = run()
    assert owners(dataset) == {"a.jpg": "1.xml", "a.jpg.jpg": "2.xml", "b.png.jpg": "3.xml"}
    assert problems_of(dataset) == [("renamed_image", "kept")]


def test_labels_in_two_layouts_are_all_read(here):
    for name in "ab":
        picture(here / f"data/images/{name}.jpg")
    yolo(here / "data", {"labels/a.txt": ROW, "images/b.txt": OTHER, "images/autosplit_train.txt": "./images/a.jpg\n"})
    dataset, _ = run()
    assert dataset.problems == ()
    assert owners(dataset) == {"a.jpg": "labels/a.txt", "b.jpg": "images/b.txt"}


def test_of_two_label_files_of_an_image_that_below_labels_counts_and_the_other_is_named(here):
    for name in "ab":
        picture(here / f"data/images/{name}.jpg")
    yolo(here / "data", {"labels/a.txt": ROW, "images/a.txt": ROW, "labels/b.txt": ROW, "images/b.txt": OTHER})
    dataset, figures = run()
    assert owners(dataset) == {"a.jpg": "labels/a.txt", "b.jpg": "labels/b.txt"}
    assert [(p.kind, p.action, p.file) for p in dataset.problems] == [
        ("image_annotated_twice", "left_out", "data/images/a.txt"),
        ("image_annotated_twice", "dropped_image", "data/images/b.txt"),
        ("box_of_dropped_image", "dropped_box", "data/images/b.txt"),
    ]
    assert (
        dataset.problems[0].detail
        == "data/images/a.jpg is already annotated in data/labels/a.txt, with the same objects"
    )
    assert figures["boxes"] == 2


def test_the_split_of_data_yaml_goes_before_the_names_of_folders(here):
    for name in ("train/a", "one/b"):
        picture(here / f"data/images/{name}.jpg")
        yolo(here / "data", {f"labels/{name}.txt": ROW})
    (here / "data/data.yaml").write_text("names: [dog, cat]\ntrain: images/one\nval: val.txt\ntest: gone\n")
    (here / "data/val.txt").write_text("./images/train/a.jpg\n")
    dataset, _ = run()
    assert {image.file_name: image.given_split for image in dataset.images} == {
        "train/a.jpg": "val",
        "one/b.jpg": "train",
    }
    assert [(p.kind, p.action, p.file) for p in dataset.problems] == [("given_split_unused", "kept", "data/data.yaml")]
