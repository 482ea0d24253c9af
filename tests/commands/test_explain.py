from dataclasses import replace
from pathlib import Path

import pytest

from tasks.commands.explain import explanation
from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_json import write_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset, Problem, flags
from tasks.errors import DataError
from tasks.ground.files import write_json
from tasks.params import PathParams, read_params

ROOT = Path(__file__).parents[2]


@pytest.fixture
def paths(tmp_path: Path) -> PathParams:
    """Images a and b are similar; a's second box was dropped; c's annotation could not be read."""
    places = {name: tmp_path / name for name in ("ingested", "validated", "splits")}
    paths = read_params(ROOT / "params.yaml").paths.model_copy(update=places)
    boxes = as_boxes([[1, 2, 30, 40], [90, 2, 95, 9]])
    a = AnnotatedImage(
        "more/a.jpg", 64, 48, boxes, ("cat", "dog"), flags(2, [True, False]), flags(2), "xml/a.xml", "f" * 64
    )
    b = replace(a, file_name="b.jpg", source="xml/b.xml", sha256="e" * 64)
    broken = Problem("unreadable_annotation", "xml/c.xml", "not XML", "dropped_image")
    write_coco(Dataset(Path("photos"), ("cat", "dog"), (a, b), (broken,)), paths.ingested)
    outside = Problem(
        "box_outside_image", "photos/more/a.jpg", "object 2 (dog): no part of it is inside", "dropped_box"
    )
    a = replace(a.keep(flags(2, [True, False])), perceptual_hash="0" * 64, given_split="train")
    b = replace(b.keep(flags(2, [True, False])), perceptual_hash="0" * 63 + "1")
    write_coco(Dataset(Path("photos"), ("cat", "dog"), (a, b), (broken, outside)), paths.validated)
    paths.splits.mkdir()
    for split, images in (("train", (a,)), ("val", ()), ("test", (b,))):
        write_coco(Dataset(Path("photos"), ("cat", "dog"), images), paths.splits / f"{split}.json")
    return paths


@pytest.mark.parametrize("name", ["a.jpg", "more/a.jpg", "photos/more/a.jpg", "a.xml", "xml/a.xml"])
def test_the_end_of_a_path_finds_all_that_is_known_of_an_image(paths: PathParams, name: str) -> None:
    assert explanation(paths, name, 60).splitlines() == [
        "photos/more/a.jpg",
        "  annotation   xml/a.xml",
        "  size         64 x 48 as annotated; 64 x 48 as stored",
        "  content      SHA-256 ffffffffffffffff",
        "  split        train; train in the author's split",
        "  similar to   b.jpg (test): 1 of 256 bits differ",
        "  objects      2 annotated, 1 passed",
        "      1  cat  [1, 2, 30, 40], difficult",
        "      2  dog  [90, 2, 95, 9]  (changed or dropped)",
        "  problems     1",
        "    box_outside_image (dropped_box): object 2 (dog): no part of it is inside",
        "      move the box into the image, or delete it",
    ]


def test_an_image_that_the_split_left_out_is_listed_as_dropped(paths: PathParams) -> None:
    write_coco(Dataset(Path("photos"), ("cat", "dog"), ()), paths.splits / "train.json")
    a_like_b = {"image": "more/a.jpg", "given_split": "train", "like": "b.jpg", "like_in": "test"}
    write_json(paths.splits / "dropped.json", [{**a_like_b, "differing_bits": 1, "same_content": False}])
    assert "  split        dropped; train in the author's split" in explanation(paths, "a.jpg", 60).splitlines()
    assert "  similar to   more/a.jpg (dropped): 1 of 256 bits differ" in explanation(paths, "b.jpg", 60).splitlines()


def test_an_unreadable_annotation_is_explained(paths: PathParams) -> None:
    lines = explanation(paths, "c.xml", 60)
    assert lines.startswith("c.xml: not among the images that can be used")
    assert "unreadable_annotation (dropped_image): not XML" in lines


def test_before_the_gate_only_the_annotation_is_known(paths: PathParams) -> None:
    paths.validated.unlink()
    assert "gate         has not run yet" in explanation(paths, "a.jpg", 60)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("d.jpg", "neither an image nor an annotation of photos"),
        ("more/b.jpg", "did you mean photos/more/a.jpg"),
        ("jpg", "neither an image"),
    ],
)
def test_an_unknown_file_is_an_error(paths: PathParams, name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        explanation(paths, name, 60)


def test_a_name_is_found_whatever_its_unicode_form(paths: PathParams) -> None:
    image = AnnotatedImage("cafe\u0301.jpg", 1, 1, as_boxes([]), (), flags(0), flags(0), "1.xml")
    write_coco(Dataset(Path("photos"), (), (image,)), paths.ingested)
    assert explanation(paths, "caf\u00e9.jpg", 60).startswith("photos/cafe\u0301.jpg\n")


def test_a_name_that_fits_several_files_is_refused(paths: PathParams, tmp_path: Path) -> None:
    image = AnnotatedImage("x/a.jpg", 1, 1, as_boxes([]), (), flags(0), flags(0), "1.xml")
    images = (image, replace(image, file_name="y/a.jpg", source="2.xml"))
    write_coco(Dataset(Path("photos"), (), images), paths.ingested)
    with pytest.raises(DataError, match=r"2 images match, such as photos/x/a\.jpg, photos/y/a\.jpg"):
        explanation(paths, "a.jpg", 60)
    paths.ingested.unlink()
    with pytest.raises(DataError, match="run `dvc repro validate` first"):
        explanation(paths, "a.jpg", 60)
